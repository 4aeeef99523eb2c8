package assumptions

// The rows about unobserved fields and filters of records other than opportunities.
const (
	// FilterItems to FilterSenders say by which fields, besides the id, these records can be
	// filtered.
	FilterItems      Name = "filter.items"
	FilterRegions    Name = "filter.regions"
	FilterCurrencies Name = "filter.currencies"
	FilterSteps      Name = "filter.opportunitySteps"
	FilterInterests  Name = "filter.interests"
	FilterLogs       Name = "filter.externalIntegrationLogs"
	FilterSenders    Name = "filter.sendingEmailAddresses"
	// ItemFields to RegistrationFields say which unobserved fields these records have.
	ItemFields         Name = "item.fields"
	InvoiceFields      Name = "invoice.fields"
	LearnerFields      Name = "learner.fields"
	RegistrationFields Name = "registration.fields"
	// PayloadFields says whether mutations return the records that they changed.
	PayloadFields Name = "payload.fields"
)

func fields() []Assumption {
	found := func(row Name, what, by string) Assumption {
		return Assumption{Name: row, Options: []Option{{"there", what + " can be filtered and ordered by " + by + ", too"}, {Absent, "they cannot"}}}
	}
	shown := func(row Name, what, fields string) Assumption {
		return Assumption{Name: row, Options: []Option{{"shown", what + " " + fields + ", too"}, {Absent, "nothing of this is there"}}}
	}
	return []Assumption{
		found(FilterItems, "course templates, learning paths and training token types", "code, title or name, and lifecycleState"),
		found(FilterRegions, "regions", "name"),
		found(FilterCurrencies, "currencies", "name"),
		found(FilterSteps, "steps of opportunities", "name, stageId, stageName and stageState"),
		found(FilterInterests, "interests", "opportunityId, quantity, unitAmount and totalAmount"),
		found(FilterLogs, "entries of the integration log", "nodeId, originIdentifier and status"),
		found(FilterSenders, "sending addresses", "name, address and verified"),
		shown(ItemFields, "course templates and learning paths show", "legacyId and lifecycleState, training token types code"),
		shown(InvoiceFields, "an invoice shows", "legacyId, account, financialUnit and createdAt"),
		shown(LearnerFields, "a learner shows", "legacyId, event, registration and isCancelled"),
		shown(RegistrationFields, "a registration shows", "legacyId, event, amount, financialUnitId and learners"),
		shown(PayloadFields, "mutations of learners and registrations, and event.update, answer", "what they changed"),
	}
}
