package assumptions

// The rows about accounts, contacts, users, mail and the integration log.
const (
	// OpportunityOwnerAndContact says whether owner and contact of an opportunity can be written.
	OpportunityOwnerAndContact Name = "opportunity.people"
	// AccountInputs says which further members the inputs of accounts have.
	AccountInputs Name = "account.inputs"
	// AccountMerged says what happens to the id of an account that was merged into another account.
	AccountMerged Name = "account.merged"
	// AddressUsage says which usages a postal address can have.
	AddressUsage Name = "address.usage"
	// AddressLines says whether an address has its lines as a list.
	AddressLines Name = "address.lines"
	// ContactEmail says whether several contacts may have one e-mail address.
	ContactEmail Name = "contact.email"
	// ContactIndividual says whether an individual's account can have a second contact.
	ContactIndividual Name = "contact.individual"
	// ContactCreate says whether contacts can be created one by one.
	ContactCreate Name = "contact.create"
	// ContactBatch says whether one refused contact of a batch affects the other contacts of the
	// batch.
	ContactBatch Name = "contact.batch"
	// ContactMiddleName says whether a contact can be given a middle name.
	ContactMiddleName Name = "contact.middle-name"
	// ContactSearch says what byNameAccountOrEmail compares.
	ContactSearch Name = "contact.byNameAccountOrEmail"
	// ContactStaff says which contacts are staff.
	ContactStaff Name = "contact.isStaff"
	// UserFields says which further fields users have, besides the observed ones.
	UserFields Name = "user.fields"
	// CustomFieldKeys says which keys attributes and custom values may have.
	CustomFieldKeys Name = "custom-field.keys"
	// CustomFieldTypes says which types have custom fields.
	CustomFieldTypes Name = "custom-field.types"
	// MailRecipient says what happens to a mail when one of its recipients cannot be reached.
	MailRecipient Name = "mail.recipient"
	// MailAudience says who gets a mail to learners without learners and without an audience.
	MailAudience Name = "mail.audience"
	// MailBooker says who gets the mail to bookers.
	MailBooker Name = "mail.booker"
	// LogID says whether the mutation that writes one entry of the integration log returns the entry's id.
	LogID Name = "log.id"
	// LogList says whether createExternalIntegrationLogs takes one entry or a list of them.
	LogList Name = "log.list"
	// LogOpportunity says whether an entry of the integration log may be about an opportunity.
	LogOpportunity Name = "log.opportunity"
	// LogRead says whether the integration log can be read.
	LogRead Name = "log.read"
)

func relatedRecords() []Assumption {
	return []Assumption{
		{Name: OpportunityOwnerAndContact, Options: []Option{
			{"written", "create and update take ownerId and contactId"},
			{Absent, "they do not"},
		}},
		{Name: AccountInputs, Options: []Option{
			{"there", "account.create and account.update take website, isIndividual and ownerId, create postalAddresses and update name, too"},
			{Absent, "create takes name and emailAddress, update emailAddress and postalAddresses"},
		}},
		{Name: AccountMerged, Options: []Option{
			{"gone", "nothing has the id of an account that was merged into another"},
			{"leads", "where one account is named, the id leads to the other"},
		}},
		{Name: AddressUsage, Options: []Option{
			{"seen", "the usage of a postal address is default, billing or shipping"},
			{"any", "it is any text"},
		}},
		{Name: AddressLines, Options: []Option{
			{"list", "an address has lines, a list of texts"},
			{Absent, "it has not"},
		}},
		{Name: ContactEmail, Options: []Option{
			{"shared", "several contacts may have one e-mail address (seen in data)"},
			{"unique", "a second contact with an address is refused"},
			{"header", "it is, unless the request has the header X-Duped-Email: yes (documented of the API before this one)"},
		}},
		{Name: ContactIndividual, Options: []Option{
			{"refused", "an account that is one person's takes no second contact (seen: the vendor's import does not try)"},
			{"taken", "it takes others"},
		}},
		{Name: ContactCreate, Options: []Option{
			{"there", "contact.create makes one contact"},
			{Absent, "there is contact.createBatch only"},
		}},
		{Name: ContactBatch, Options: []Option{
			{"each", "contact.createBatch makes the contacts that it does not refuse"},
			{"all", "it makes all of them or none"},
		}},
		{Name: ContactMiddleName, Options: []Option{
			{"there", "the personalName of a new contact takes a middleName"},
			{Absent, "it does not"},
		}},
		{Name: ContactSearch, Options: []Option{
			{"joined", "the filter byNameAccountOrEmail looks through the contact's name, the account's name and the e-mail address as one text"},
			{"each", "one of the three must fit by itself"},
		}},
		{Name: ContactStaff, Options: []Option{
			{"marked", "isStaff, like isInstructor, is what the catalogue says of a contact; those made by mutations are neither"},
			{"users", "isStaff is true of those who are the contact of a user"},
		}},
		{Name: UserFields, Options: []Option{
			{"shown", "a user shows lastName, and users take filters and order"},
			{Absent, "there are id, fullName, firstName and contact, and users take first, offset and after"},
		}},
		{Name: CustomFieldKeys, Options: []Option{
			{"any", "attributes of opportunities and custom values of learners may have any key"},
			{"defined", "they are refused with a key that no definition of the type has"},
		}},
		{Name: CustomFieldTypes, Options: []Option{
			{"all", "customFieldTemplate takes the types Event (which was seen), Opportunity, Account, Contact and Learner"},
			{"event", "it takes Event only"},
		}},
		{Name: MailRecipient, Options: []Option{
			{"refused", "a contact or learner who is unknown or has no e-mail address stops the mail to all"},
			{"skipped", "the others get it"},
		}},
		{Name: MailAudience, Options: []Option{
			{"active", "a mail to learners that names neither learners nor an audience goes to the active ones"},
			{"nobody", "it goes to nobody"},
		}},
		{Name: MailBooker, Options: []Option{
			{"learner", "the booking contact of a registration is the contact of its first learner"},
			{"opportunity", "it is the contact of the opportunity that it comes from, if that has one"},
		}},
		{Name: LogID, Options: []Option{
			{"there", "createExternalIntegrationLog answers entityId"},
			{Absent, "it answers errors only"},
		}},
		{Name: LogList, Options: []Option{
			{"list", "createExternalIntegrationLogs takes a list of entries, or one"},
			{"one", "its input is one entry"},
		}},
		{Name: LogOpportunity, Options: []Option{
			{"taken", "entries of the integration log may be about opportunities"},
			{"refused", "they are refused"},
		}},
		{Name: LogRead, Options: []Option{
			{"there", "entries are read by the query externalIntegrationLogs"},
			{Absent, "they cannot be read"},
		}},
	}
}
