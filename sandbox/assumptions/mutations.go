package assumptions

// The rows about creating and updating opportunities.
const (
	CreateRequired   Name = "create.required"
	CreateCurrency   Name = "create.currency"
	CreateEntry      Name = "create.entry"
	CreateAttributes Name = "create.attributes"
	UpdateAttributes Name = "update.attributes"
	UpdateName       Name = "update.name"
	UpdateNull       Name = "update.null"
	ErrorLabels      Name = "errors.labels"
	ErrorsFirst      Name = "errors.first"
	// EventTitle, EventState and EventPlaces are about members of the input of event.update.
	EventTitle  Name = "event.update.title"
	EventState  Name = "event.update.lifecycleState"
	EventPlaces Name = "event.update.maxPlaces"
)

func mutations() []Assumption {
	return []Assumption{
		{Name: CreateRequired, Options: []Option{
			{"name-region", "create needs name and regionId"},
			{"account", "it needs accountId, too"},
		}},
		{Name: CreateCurrency, Options: []Option{
			{"region", "without financialUnitId the currency is the region's"},
			{"tenant", "it is the tenant's, which is the first of the catalogue"},
		}},
		{Name: CreateEntry, Options: []Option{
			{"entry", "without entryStepId the step is the first entry step; a step that is none is refused"},
			{"any", "any step may be named"},
		}},
		nameAssumption(CreateAttributes, "the member of create that takes [{definitionKey, value}], with any key,", "attributes", "customFieldValues"),
		nameAssumption(UpdateAttributes, "the one of update, by which keys that are not named stay and null takes one away,", "attributes", "customFieldValues"),
		nameAssumption(UpdateName, "the member of update that takes a new name", "name", "title"),
		nameAssumption(EventTitle, "the member of event.update that takes a title", "title", "name"),
		nameAssumption(EventState, "the one that takes a state", "lifecycleState", "status"),
		nameAssumption(EventPlaces, "the one that takes the number of places", "maxPlaces", "capacity"),
		{Name: UpdateNull, Options: []Option{
			{"kept", "null in update means: leave it as it is"},
			{"cleared", "null takes the account away"},
		}},
		{Name: ErrorLabels, Options: []Option{
			{"named", "refusals other than Transition Not Found have labels of their own: Not Found, Invalid ID, Invalid Value and so on"},
			{"plain", "they have the label Error"},
		}},
		{Name: ErrorsFirst, Options: []Option{
			{"first", "a refusal names the first thing that is wrong"},
			{"all", "create and update are refused with all that is wrong with name, account, region, currency and entry step, an entry of errors each"},
		}},
	}
}
