package assumptions

// These assumptions are about unobserved fields and filters of records other than opportunities.
const (
	FilterItems        Name = "filter.items"
	FilterRegions      Name = "filter.regions"
	FilterCurrencies   Name = "filter.currencies"
	FilterSteps        Name = "filter.opportunitySteps"
	FilterInterests    Name = "filter.interests"
	FilterLogs         Name = "filter.externalIntegrationLogs"
	FilterSenders      Name = "filter.sendingEmailAddresses"
	ItemFields         Name = "item.fields"
	InvoiceFields      Name = "invoice.fields"
	LearnerFields      Name = "learner.fields"
	RegistrationFields Name = "registration.fields"
	PayloadFields      Name = "payload.fields"
)

func fields() []Assumption {
	found := func(row Name, what, by string) Assumption {
		return Assumption{Name: row, Options: []Option{{"there", what + " can also be filtered and sorted by " + by}, {Absent, what + " cannot be filtered or sorted by " + by}}}
	}
	shown := func(row Name, what, fields string) Assumption {
		return Assumption{Name: row, Options: []Option{{"shown", what + " have the fields " + fields}, {Absent, what + " do not have the fields " + fields}}}
	}
	return []Assumption{
		found(FilterItems, "course templates, learning paths and training token types", "code, title or name, and lifecycleState"),
		found(FilterRegions, "regions", "name"),
		found(FilterCurrencies, "currencies", "name"),
		found(FilterSteps, "steps of opportunities", "name, stageId, stageName and stageState"),
		found(FilterInterests, "interests", "opportunityId, quantity, unitAmount and totalAmount"),
		found(FilterLogs, "entries of the integration log", "nodeId, originIdentifier and status"),
		found(FilterSenders, "sending addresses", "name, address and verified"),
		shown(ItemFields, "items of interests", "legacyId and lifecycleState (of course templates and learning paths) and code (of training token types)"),
		shown(InvoiceFields, "invoices", "legacyId, account, financialUnit and createdAt"),
		shown(LearnerFields, "learners", "legacyId, event, registration and isCancelled"),
		shown(RegistrationFields, "registrations", "legacyId, event, amount, financialUnitId and learners"),
		shown(PayloadFields, "responses of event.update and of mutations of learners and registrations", "with the changed records"),
	}
}
