package assume

// The rows about who is sold to and who sells.
const (
	// OpportunityPeople says whether owner and contact of an opportunity can be written.
	OpportunityPeople Name = "opportunity.people"
	// ContactEmail says whether several contacts may have one e-mail address.
	ContactEmail Name = "contact.email"
	// ContactCreate says whether contacts can be made one by one.
	ContactCreate Name = "contact.create"
	// MailRecipient says what becomes of a mail of whose recipients one cannot be reached.
	MailRecipient Name = "mail.recipient"
	// LogOpportunity says whether an entry of the integration log may be about an opportunity.
	LogOpportunity Name = "log.opportunity"
	// LogRead says whether the integration log can be read.
	LogRead Name = "log.read"
)

func neighbours() []Row {
	return []Row{
		{OpportunityPeople, []Value{
			{"written", "create and update take ownerId and contactId"},
			{Absent, "they do not"},
		}},
		{ContactEmail, []Value{
			{"shared", "several contacts may have one e-mail address (seen in data)"},
			{"unique", "a second contact with an address is refused"},
		}},
		{ContactCreate, []Value{
			{"there", "contact.create makes one contact"},
			{Absent, "there is contact.createBatch only"},
		}},
		{MailRecipient, []Value{
			{"refused", "a contact or learner who is unknown or has no e-mail address stops the mail to all"},
			{"skipped", "the others get it"},
		}},
		{LogOpportunity, []Value{
			{"taken", "entries of the integration log may be about opportunities"},
			{"refused", "they are refused"},
		}},
		{LogRead, []Value{
			{"there", "entries are read by the query externalIntegrationLogs"},
			{Absent, "they cannot be read"},
		}},
	}
}
