package assume

// The rows about creating and updating opportunities.
const (
	CreateRequired   Name = "create.required"
	CreateCurrency   Name = "create.currency"
	CreateEntry      Name = "create.entry"
	CreateAttributes Name = "create.attributes"
	UpdateName       Name = "update.name"
	UpdateNull       Name = "update.null"
	ErrorLabels      Name = "errors.labels"
)

func mutations() []Row {
	return []Row{
		{CreateRequired, []Value{
			{"name-region", "create needs name and regionId"},
			{"account", "it needs accountId, too"},
		}},
		{CreateCurrency, []Value{
			{"region", "without financialUnitId the currency is the region's"},
			{"tenant", "it is the tenant's, which is the first of the catalogue"},
		}},
		{CreateEntry, []Value{
			{"entry", "without entryStepId the step is the first entry step; a step that is none is refused"},
			{"any", "any step may be named"},
		}},
		{CreateAttributes, []Value{
			{"any", "create and update take attributes: [{definitionKey, value}]; any key is accepted; keys that are not named stay, null takes one away"},
			{Absent, "attributes cannot be written"},
		}},
		{UpdateName, []Value{
			{"taken", "update takes name"},
			{Absent, "it does not"},
		}},
		{UpdateNull, []Value{
			{"kept", "null in update means: leave it as it is"},
			{"cleared", "null takes the account away"},
		}},
		{ErrorLabels, []Value{
			{"named", "refusals other than Transition Not Found have labels of their own: Not Found, Invalid ID, Invalid Value and so on"},
			{"plain", "they have the label Error"},
		}},
	}
}
