package assume

// The rows about who is sold to and who sells.
const (
	// OpportunityPeople says whether owner and contact of an opportunity can be written.
	OpportunityPeople Name = "opportunity.people"
	// ContactEmail says whether several contacts may have one e-mail address.
	ContactEmail Name = "contact.email"
	// ContactCreate says whether contacts can be made one by one.
	ContactCreate Name = "contact.create"
	// LogOpportunity says whether an entry of the integration log may be about an opportunity.
	LogOpportunity Name = "log.opportunity"
	// LogRead says whether the integration log can be read.
	LogRead Name = "log.read"
)

func neighbours() []Row {
	return []Row{
		{Name: OpportunityPeople, Values: []Value{
			{"written", "create and update take ownerId and contactId"},
			{Absent, "they do not"},
		}},
		{Name: ContactEmail, Values: []Value{
			{"shared", "several contacts may have one e-mail address (seen in data)"},
			{"unique", "a second contact with an address is refused"},
		}},
		{Name: ContactCreate, Values: []Value{
			{"there", "contact.create makes one contact"},
			{Absent, "there is contact.createBatch only"},
		}},
		{Name: LogOpportunity, Values: []Value{
			{"taken", "entries of the integration log may be about opportunities"},
			{"refused", "they are refused"},
		}},
		{Name: LogRead, Values: []Value{
			{"there", "entries are read by the query externalIntegrationLogs"},
			{Absent, "they cannot be read"},
		}},
	}
}
