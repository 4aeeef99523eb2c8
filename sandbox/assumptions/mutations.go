package assumptions

// These assumptions are about the mutations that create and update opportunities and update events.
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
	EventTitle       Name = "event.update.title"
	EventState       Name = "event.update.lifecycleState"
	EventPlaces      Name = "event.update.maxPlaces"
)

func mutations() []Assumption {
	return []Assumption{
		{Name: CreateRequired, Options: []Option{
			{"name-region", "opportunities.create requires name and regionId"},
			{"account", "opportunities.create requires name, regionId and accountId"},
		}},
		{Name: CreateCurrency, Options: []Option{
			{"region", "without financialUnitId a new opportunity gets the currency of its region"},
			{"tenant", "without financialUnitId a new opportunity gets the tenant's currency, which is the first currency of the catalogue"},
		}},
		{Name: CreateEntry, Options: []Option{
			{"entry", "a new opportunity starts in the step entryStepId, which must be an entry step; without entryStepId the opportunity starts in the first entry step"},
			{"any", "a new opportunity starts in the step entryStepId, which may be any step; without entryStepId the opportunity starts in the first entry step"},
		}},
		nameAssumption(CreateAttributes, "the input member of opportunities.create that contains attributes (a list of {definitionKey, value})", "attributes", "customFieldValues"),
		nameAssumption(UpdateAttributes, "the input member of opportunities.update that contains attributes (the value null removes an attribute, and attributes that are not in the input stay unchanged)", "attributes", "customFieldValues"),
		nameAssumption(UpdateName, "the input member of opportunities.update that contains the new name of the opportunity", "name", "title"),
		nameAssumption(EventTitle, "the input member of event.update that contains the title", "title", "name"),
		nameAssumption(EventState, "the input member of event.update that contains the lifecycle state", "lifecycleState", "status"),
		nameAssumption(EventPlaces, "the input member of event.update that contains the number of places", "maxPlaces", "capacity"),
		{Name: UpdateNull, Options: []Option{
			{"kept", "a null member in the input of opportunities.update changes nothing"},
			{"cleared", "a null accountId in the input of opportunities.update removes the account from the opportunity"},
		}},
		{Name: ErrorLabels, Options: []Option{
			{"named", "each kind of refusal has its own label, such as Not Found, Invalid ID or Invalid Value"},
			{"plain", "all refusals except Transition Not Found have the label Error"},
		}},
		{Name: ErrorsFirst, Options: []Option{
			{"first", "a refusal reports only the first invalid member of the input"},
			{"all", "a refusal of opportunities.create or opportunities.update has one error for each invalid name, account, region, currency and entry step"},
		}},
	}
}
