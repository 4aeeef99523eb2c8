package sandbox_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/assumptions"
)

// The document of each test uses every part of the schema that the test's assumption can remove.
func fieldAssumptionTests() map[assumptions.Name]assumptionTest {
	list := func(root string, fields ...string) string {
		var b strings.Builder
		for i, field := range fields {
			fmt.Fprintf(&b, "%s%d: %s(first: 1, filters: {field: id, operation: notnull}, order: {field: %s}) { edges { node { __typename } } } ", root, i, root, field)
		}
		return b.String()
	}
	document := func(d, there string) assumptionTest {
		s := assumptionTest{run: func(t *testing.T, a *api) string {
			t.Helper()
			a.registerContacts(t, eventOne, 1)
			return a.leavesOf(t, d)
		}, want: map[string]string{assumptions.Absent: "refused"}}
		for _, value := range []string{"there", "shown"} {
			s.want[value] = there
		}
		return s
	}
	return map[assumptions.Name]assumptionTest{
		assumptions.FilterItems: document("{ "+list("courseTemplates", "code", "title", "lifecycleState")+list("learningPaths", "code", "name", "lifecycleState")+list("trainingTokenTypes", "code", "name")+"}",
			"CourseTemplate CourseTemplate CourseTemplate LearningPath LearningPath LearningPath TrainingTokenType TrainingTokenType"),
		assumptions.FilterRegions:    document("{ "+list("regions", "name")+"}", "Region"),
		assumptions.FilterCurrencies: document(`{ currencies(filters: {field: name, operation: like, value: "Pounds%"}) { edges { node { code } } } }`, "GBP"),
		assumptions.FilterSteps:      document("{ "+list("opportunitySteps", "name", "stageId", "stageName", "stageState")+"}", strings.TrimSpace(strings.Repeat("OpportunityStep ", 4))),
		assumptions.FilterInterests: document(`{ events(first: 1) { edges { node { code interests(order: [{field: opportunityId}, {field: quantity}, {field: unitAmount}, {field: totalAmount}]) { edges { node { quantity } } } } } } }`,
			"ABC-123-01"),
		assumptions.FilterLogs:    document(`{ hello externalIntegrationLogs(order: [{field: nodeId}, {field: originIdentifier}, {field: status}]) { edges { node { message } } } }`, "Hello"),
		assumptions.FilterSenders: document(`{ sendingEmailAddresses(filters: {field: verified, operation: eq, value: "true"}, order: [{field: name}, {field: address}]) { edges { node { name } } } }`, "Office"),
		assumptions.ItemFields: document(`{ courseTemplates(first: 1) { edges { node { legacyId lifecycleState } } } learningPaths(first: 1) { edges { node { legacyId lifecycleState } } } trainingTokenTypes(first: 1) { edges { node { code } } } }`,
			"11 published 1 published TT-1"),
		assumptions.InvoiceFields: document(`{ hello invoices { edges { node { legacyId account { name } financialUnit { name } createdAt } } } }`, "Hello"),
		assumptions.LearnerFields: document(`{ learners { edges { node { legacyId event { code } registration { orderDate } isCancelled } } } }`, "ABC-123-01 false 1 2026-03-02T09:00:00+00:00"),
		assumptions.RegistrationFields: document(`{ registrations { edges { node { legacyId event { code } amount financialUnitId learners { edges { node { lifecycleState } } } } } } }`,
			"ABC-123-01 active 1"),
		assumptions.PayloadFields: document(`mutation {
			one: learner { cancel(input: {learnerId: "bGVhcm5lcjox"}) { learner { lifecycleState } } }
			two: registration { registerUnnamedLearners(input: {eventId: "Q291cnNlOjE=", registrationId: "UmVnaXN0cmF0aW9uOjE=", quantity: 1}) { registration { orderDate } } }
			three: event { update(eventId: "Q291cnNlOjE=", input: {maxPlaces: 5}) { event { maxPlaces } } }
		}`, "cancelled 5 2026-03-02T09:00:00+00:00"),
	}
}

func evidenceByType() map[string]string {
	return map[string]string{
		"Query": `hello echo node opportunities opportunitySteps accounts contacts currencies events customFieldTemplate communicationTemplates sendingEmailAddresses
			learners registrations users`,
		"Mutation": "opportunities account contact event learner registration invoices contactAdhocEmails bulkAdhocEmails externalLog",
		"Opportunity": `id legacyId name account financialUnit step value attributes isReservationValid reservationsValidUntil interests owner contact activeInvoiceId
			salesDocument`,
		"OpportunityValue": "grandTotal", "OpportunityAttribute": "definitionKey value", "OpportunityStep": "id name stage", "OpportunityStage": "id name state",
		"OpportunityField": "id regionName stepId", "OpportunityStepField": "id", "OpportunityInterest": "id opportunity item totalAmount", "OpportunityInterestField": "id",
		"OpportunityMutations":   "create update progress addInterest extendReservations reservePlacesForInterests",
		"OpportunityCreateInput": "name regionId financialUnitId accountId entryStepId", "OpportunityUpdateInput": "id financialUnitId accountId",
		"OpportunityProgressInput": "opportunityId stepId", "OpportunityAddInterestInput": "opportunityId interestDetails",
		"OpportunityInterestDetailsInput":           "id quantity unitAmount taxId reserve courseDetails eventDetails learningPathDetails trainingTokenDetails",
		"OpportunityInterestLearnersInput":          "existingLearners newLearners",
		"OpportunityInterestNewLearnerInput":        "firstName lastName email",
		"OpportunityInterestTrainingTokenInput":     "expiresAt",
		"OpportunityReservePlacesForInterestsInput": "interestIds", "OpportunityExtendReservationsInput": "opportunityId reservationsValidUntil",
		"OpportunityPayload": "errors opportunity", "OpportunityAddInterestPayload": "errors interests", "OpportunityExtendReservationsPayload": "errors",
		"FieldError": "label message value", "PageInfo": "totalRecords hasNextPage hasPreviousPage startCursor endCursor", "Node": "id", "InterestItem": "id", "SalesDocument": "id",
		"FilterOperation": "eq ne gt ge lt le like wordlike in notin contains isnull notnull", "OrderDirection": "asc desc",
		"Account":                "id name emailAddress website isIndividual owner postalAddresses legacyId contacts",
		"AccountField":           "id name isIndividual website emailAddress addressTown createdAt lastUpdatedAt",
		"AccountCreateInput":     "name emailAddress",
		"AccountUpdateInput":     "accountId emailAddress postalAddresses",
		"AccountMergeInput":      "fromAccount toAccount",
		"PostalAddress":          "usage address",
		"PostalAddressInput":     "usage address",
		"Address":                "town region postcode countryId provinceCode contactPerson",
		"AddressInput":           "town region postcode countryId provinceCode contactPerson",
		"Contact":                "id personalName firstName lastName emailAddress account isInstructor isStaff legacyId",
		"PersonalName":           "firstName middleName lastName name",
		"ContactField":           "id firstName lastName name emailAddress byNameAccountOrEmail isInstructor isStaff accountId accountName createdAt lastUpdatedAt",
		"ContactCreateInput":     "personalName accountId emailAddresses",
		"PersonalNameInput":      "firstName lastName",
		"EmailAddressInput":      "usage address",
		"CourseTemplate":         "id code title",
		"CourseTemplateField":    "id",
		"LearningPath":           "id code name",
		"LearningPathField":      "id",
		"TrainingTokenType":      "id name",
		"TrainingTokenTypeField": "id",
		"Region":                 "id name",
		"RegionField":            "id",
		"Currency":               "name code symbol",
		"CurrencyField":          "code",
		"FinancialUnit":          "name",
		"CustomFieldTemplate":    "customFieldDefinitions", "CustomFieldDefinition": "key label type", "CustomFieldTemplateType": "Event",
		"CustomFieldValue": "definitionKey value definition", "CustomFieldValueInput": "definitionKey value",
		"Event": `id legacyId displayId title code type learningMode start end startDate timeZonedStart timeZonedEnd timeZoneName lifecycleState isActive isSoldOut cancelledAt
			maxPlaces minPlaces bookedPlaces reserved remainingPlaces registrationDeadline region defaultPrice financialUnit bookingAccount courseTemplate interests registrations learners internalNotes`,
		"EventPrice": "amount financialUnit",
		"EventField": `id title code start end timeZonedStart timeZonedEnd lifecycleState courseTemplateTitle courseTemplateCode isSoldOut hasPlacesRemaining remainingPlaces bookedPlaces
			maxPlaces minPlaces learningMode bookingAccountName bookingAccountId isActive createdAt updatedAt cancelledAt`,
		"EventUpdateInput":               "start end timeZoneName",
		"EventRegisterContactsInput":     "contacts notes priceLevelId financialUnitId amount brandId communicationsContactId orderDate",
		"EventRegisterNamedLearnerInput": "eventId contactId notes customFieldValues",
		"Learner":                        "id contact lifecycleState notes customFieldValues",
		"LearnerField":                   "id eventId contactId contactEmailAddress lifecycleState isActive isCancelled eventStartDate lastUpdatedAt",
		"LearnerUpdateInput":             "learnerId notes customFieldValues", "LearnerTargetInput": "learnerId",
		"Registration":                             "id account registerables invoiceIssued orderDate sourceOpportunity",
		"RegistrationField":                        "account",
		"RegistrationRegisterLearnerInput":         "contactId eventId registrationId",
		"RegistrationRegisterUnnamedLearnersInput": "eventId registrationId quantity",
		"Invoice":      "id lifecycleState comments purchaseOrderReference finalisedAt",
		"InvoiceField": "id", "InvoiceUpdateInput": "invoiceId comments purchaseOrderRef", "InvoiceTargetInput": "invoiceId",
		"User":                       "id fullName firstName contact",
		"SendingEmailAddress":        "id name address verified",
		"SendingEmailAddressField":   "id",
		"CommunicationTemplate":      "id name",
		"CommunicationTemplateField": "id name",
		"ContactAdhocEmailInput":     "contactId subject body sendingAddressId ccList", "BulkContactAdhocEmailInput": "contactIds subject body eventId sendingAddressId",
		"BulkLearnerAdhocEmailInput": "eventId learnerIds audience templateId sendingAddressId", "BulkBookingContactAdhocEmailInput": "eventId audience templateId sendingAddressId",
		"ExternalLogTypeStatus": "success failed partial", "InternalLogMetadataInput": "category subcategory",
		"ExternalIntegrationLogCreateInput": "originIdentifier nodeId message status payload internalLogMetadata",
		"EmailPayload":                      "errors", "LearnerPayload": "errors", "RegistrationPayload": "errors", "EventPayload": "errors", "AccountPayload": "errors account",
		"ContactPayload": "errors contact", "InvoicePayload": "errors invoice", "ExternalLogPayload": "errors", "ExternalLogsPayload": "errors entityIds",
		"EventRegisterContactsPayload": "errors event learners", "EventRegisterNamedLearnerPayload": "errors learners",
		"AccountMutations": "create update merge", "ContactMutations": "createBatch", "EventMutations": "update registerContacts registerNamedLearners",
		"LearnerMutations": "update cancel reactivate", "RegistrationMutations": "registerLearner registerUnnamedLearners", "InvoiceMutations": "update finalise",
		"ContactAdhocEmailMutations": "sendContactAdhocEmail", "BulkAdhocEmailMutations": "sendBulkContactAdhocEmail sendBulkLearnerAdhocEmail sendBulkBookingContactAdhocEmail",
		"ExternalLogMutations": "createExternalIntegrationLog createExternalIntegrationLogs",
	}
}

// The test skips GraphQL's own types, the types of lists, and types that become unreachable when an
// assumption removes a field.
func isExempt(typ string) bool {
	if strings.HasPrefix(typ, "__") {
		return true
	}
	for _, suffix := range []string{"Connection", "Edge", "FieldGraphFilter", "FieldGraphOrder"} {
		if strings.HasSuffix(typ, suffix) {
			return true
		}
	}
	return slices.Contains([]string{
		"OpportunityInterestLearner",                            // OpportunityInterest.learners
		"OpportunityAttributeInput",                             // attributes of create and update
		"InvoiceLine",                                           // Invoice.lines
		"TokenIssue",                                            // Opportunity.tokenIssues
		"UserField",                                             // used by the arguments of users
		"ExternalIntegrationLog", "ExternalIntegrationLogField", // used by the query externalIntegrationLogs
	}, typ)
}

// Assumptions can remove every part of the sandbox's schema that was not observed and is not
// documented.
func TestUnobservedPartsAreAssumptions(t *testing.T) {
	t.Parallel()
	without := map[string]string{}
	for _, row := range assumptions.All() {
		if slices.ContainsFunc(row.Options, func(v assumptions.Option) bool { return v.Value == assumptions.Absent }) {
			without[string(row.Name)] = assumptions.Absent
		}
	}
	without[string(assumptions.CustomFieldTypes)], without[string(assumptions.FilterFields)] = "event", "few"
	a := open(t, sandbox.Options{Assumptions: without})
	types := valueAt(t, a.query(t, `{ __schema { types { name kind fields { name } inputFields { name } enumValues { name } } } }`, nil), "__schema", "types").([]any)
	known, checked := evidenceByType(), map[string]bool{}
	for _, one := range types {
		typ := valueAt(t, one, "name").(string)
		if valueAt(t, one, "kind") == "SCALAR" || isExempt(typ) {
			continue
		}
		checked[typ] = true
		names := strings.Fields(known[typ])
		left := map[string]bool{}
		for _, list := range []string{"fields", "inputFields", "enumValues"} {
			members, _ := valueAt(t, one, list).([]any)
			for _, member := range members {
				left[valueAt(t, member, "name").(string)] = true
			}
		}
		for _, name := range names {
			if !left[name] {
				t.Errorf("%s.%s was observed, but the schema does not contain the field", typ, name)
			}
			delete(left, name)
		}
		if len(left) > 0 {
			t.Errorf("%s has the fields %v, which were not observed and which no assumption removes", typ, slices.Sorted(maps.Keys(left)))
		}
	}
	for typ := range known {
		if !checked[typ] {
			t.Errorf("%s was observed, but the schema does not contain the type", typ)
		}
	}
}
