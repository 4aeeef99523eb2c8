package sandbox

// Assumption is something the sandbox does although neither the API documentation (Sales Opportunities) says so nor
// anyone observed it.
type Assumption struct {
	// Name identifies the row.
	Name string
	// Assumed is what the sandbox does.
	Assumed string
	// Otherwise is what the API may do instead, "" where nothing else suggests itself.
	Otherwise string
}

// Assumptions returns every such row, by subject. A test that passes only because of one proves nothing about the API.
func Assumptions() []Assumption {
	return []Assumption{
		// Search
		{"filter.type", "the input types of filters are <Type>FieldGraphFilter with an enum <Type>Field, by analogy with the types observed", "other names"},
		{"filter.operation.type", "operations are the enum FilterOperation", "another name"},
		{"filter.opportunity.fields", "besides regionName, id and stepId opportunities can be filtered by name, regionId, stepName, stageId, stageName, accountId, accountName, financialUnitId, reservationsValidUntil, createdAt, updatedAt", "fewer or other fields"},
		{"filter.and", "all filters of a list must hold", ""},
		{"filter.null", "ne and notin do not match records without a value, as in SQL", "they match them"},
		{"filter.case", "eq is exact; like, wordlike and contains ignore the case of ASCII letters", "all ignore case, or none"},
		{"filter.wordlike", "wordlike matches text in which a word begins with the value", "whole words"},
		{"filter.contains", "contains matches text that contains each of the values", "it fits fields with several values only"},
		{"filter.id", "a filter by a malformed id, or one of another type, fails the whole request", "it finds nothing"},
		{"filter.date", "a date without a zone is taken for UTC in fields that have one", "the tenant's zone"},
		{"order", "the argument is order, one or a list of {field, direction} with the fields of the filters; direction is asc unless given", "orderBy, as some queries have it"},
		{"order.default", "records come in the order of their ids", ""},
		{"page.first", "first may be 0; a negative first or offset, a foreign cursor, and offset together with after fail the request", "they are ignored"},
		// Types
		{"interest.type", "every interest has the __typename OpportunityInterest", "one type per kind of item"},
		{"interest.fields", "an interest shows quantity, unitAmount, reserve, taxId, expiresAt and learners", ""},
		{"interest.item.type", "items share the interface InterestItem, so that fragments on any kind are valid on each", "a union, or another name"},
		{"opportunity.region", "an opportunity shows region, createdAt and updatedAt", ""},
		{"currency.id", "the global id of a currency is Currency:<code>", ""},
		{"queries", "regions, courseTemplates, learningPaths and trainingTokenTypes are queries at the root", "other names, or none"},
		{"node.unknown", "node answers null for an id that nothing has and fails for a malformed one", "it fails for both"},
		{"total.tax", "totalAmount is quantity times unitAmount, grandTotal the sum of them; tax and discounts play no part", "grandTotal includes tax"},
		// Mutations
		{"create.required", "create needs name and regionId", "it needs less, or more"},
		{"create.currency", "without financialUnitId the currency is the region's", "the tenant's"},
		{"create.entry", "without entryStepId the step is the first entry step; a step that is none is refused", "any step may be named"},
		{"create.attributes", "create and update take attributes: [{definitionKey, value}]; any key is accepted; keys that are not named stay, null takes one away", "attributes can not be written, or only defined ones"},
		{"update.name", "update takes name", "it does not"},
		{"update.null", "null in update means: leave it as it is", "it clears the value"},
		{"errors.labels", "refusals other than Transition Not Found have the labels Not Found, Invalid ID, Invalid Value, Not Published, Details Do Not Fit, and the refused input as value", "other words"},
		{"errors.first", "a refusal names the first thing that is wrong", "all of them"},
		// Interests
		{"interest.learners.existing", "existingLearners is a list of ids of contacts", "a list of objects"},
		{"interest.learners.count", "no more learners than the quantity; first and last name are needed, the e-mail address is not", "any number"},
		{"interest.quantity", "between 1 and 100,000", ""},
		{"interest.unitAmount", "between 0 and 10,000,000,000 with two decimal places; it is needed", "negative amounts, more places"},
		{"interest.details", "at most the one details object that fits the item", "others are ignored"},
		{"interest.tax", "taxId is any well-formed id", "it must exist"},
		{"interest.published", "events and learning paths must be published like course templates; their dates do not matter", "any event"},
		// Reservations
		{"reserve.lapsed", "an interest that is to reserve on an opportunity whose holds have lapsed is added, without a hold and without an error", ""},
		{"extend.answer", "extendReservations answers errors and opportunity", "other fields"},
		{"isReservationValid.none", "false for an opportunity that never held a place", "null, or true"},
	}
}
