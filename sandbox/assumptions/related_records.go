package assumptions

const (
	// OpportunityOwnerAndContact says whether a mutation can set the owner and the contact of an
	// opportunity.
	OpportunityOwnerAndContact Name = "opportunity.people"
	// AccountInputs says which additional members the inputs of account.create and account.update
	// have.
	AccountInputs Name = "account.inputs"
	// AccountMerged says what happens to the id of an account that was merged into another account.
	AccountMerged Name = "account.merged"
	// AddressUsage says which usages a postal address can have.
	AddressUsage Name = "address.usage"
	// AddressLines says whether a postal address has a list of address lines.
	AddressLines Name = "address.lines"
	// ContactEmail says whether several contacts may have the same e-mail address.
	ContactEmail Name = "contact.email"
	// ContactIndividual says whether an individual's account can have a second contact.
	ContactIndividual Name = "contact.individual"
	// ContactCreate says whether contacts can be created one by one.
	ContactCreate Name = "contact.create"
	// ContactBatch says whether one refused contact of a batch affects the other contacts of the
	// batch.
	ContactBatch Name = "contact.batch"
	// ContactMiddleName says whether a mutation can set the middle name of a contact.
	ContactMiddleName Name = "contact.middle-name"
	// ContactSearch says what byNameAccountOrEmail compares.
	ContactSearch Name = "contact.byNameAccountOrEmail"
	// ContactStaff says which contacts are staff.
	ContactStaff Name = "contact.isStaff"
	// UserFields says which fields users have, in addition to the observed fields.
	UserFields Name = "user.fields"
	// CustomFieldKeys says which keys attributes and custom values may have.
	CustomFieldKeys Name = "custom-field.keys"
	// CustomFieldTypes says which GraphQL types can have custom fields.
	CustomFieldTypes Name = "custom-field.types"
	// MailRecipient says what happens to a mail when one of its recipients cannot be reached.
	MailRecipient Name = "mail.recipient"
	// MailAudience says who receives a mail to learners when the input names neither learners nor
	// an audience.
	MailAudience Name = "mail.audience"
	// MailBooker says which contact is the booking contact of a registration and receives mail to
	// bookers.
	MailBooker Name = "mail.booker"
	// LogID says whether the mutation that writes one entry of the integration log returns the entry's id.
	LogID Name = "log.id"
	// LogList says whether the input of createExternalIntegrationLogs is one entry or a list of
	// entries.
	LogList Name = "log.list"
	// LogOpportunity says whether an entry of the integration log may be about an opportunity.
	LogOpportunity Name = "log.opportunity"
	// LogRead says whether a query returns the entries of the integration log.
	LogRead Name = "log.read"
)

func relatedRecords() []Assumption {
	return []Assumption{
		{Name: OpportunityOwnerAndContact, Options: []Option{
			{"written", "opportunities.create and opportunities.update accept ownerId and contactId"},
			{Absent, "opportunities.create and opportunities.update do not accept ownerId and contactId"},
		}},
		{Name: AccountInputs, Options: []Option{
			{"there", "account.create and account.update accept the additional members website, isIndividual and ownerId; account.create also accepts postalAddresses; account.update also accepts name"},
			{Absent, "account.create accepts only name and emailAddress; account.update accepts only emailAddress and postalAddresses"},
		}},
		{Name: AccountMerged, Options: []Option{
			{"gone", "the id of an account that was merged into another account is unknown to the API"},
			{"leads", "the id of an account that was merged into another account refers to the other account"},
		}},
		{Name: AddressUsage, Options: []Option{
			{"seen", "the usage of a postal address is default, billing or shipping"},
			{"any", "the usage of a postal address is any text"},
		}},
		{Name: AddressLines, Options: []Option{
			{"list", "an address has the field lines, which is a list of texts"},
			{Absent, "an address does not have the field lines"},
		}},
		{Name: ContactEmail, Options: []Option{
			{"shared", "several contacts may have the same e-mail address (observed in data)"},
			{"unique", "a second contact with the same e-mail address is refused"},
			{"header", "a second contact with the same e-mail address is refused, except in a request with the header X-Duped-Email: yes (documented for the previous API)"},
		}},
		{Name: ContactIndividual, Options: []Option{
			{"refused", "an account of an individual accepts only one contact (the vendor's import adds no second contact)"},
			{"taken", "an account of an individual accepts several contacts"},
		}},
		{Name: ContactCreate, Options: []Option{
			{"there", "the mutation contact.create exists and creates one contact"},
			{Absent, "only contact.createBatch creates contacts"},
		}},
		{Name: ContactBatch, Options: []Option{
			{"each", "contact.createBatch creates the valid contacts and refuses the other contacts"},
			{"all", "contact.createBatch creates all contacts of the batch; if one contact is refused, contact.createBatch creates no contact"},
		}},
		{Name: ContactMiddleName, Options: []Option{
			{"there", "the personalName of a new contact accepts middleName"},
			{Absent, "the personalName of a new contact does not accept middleName"},
		}},
		{Name: ContactSearch, Options: []Option{
			{"joined", "the filter byNameAccountOrEmail searches contact name, account name and e-mail address as one joined text"},
			{"each", "the filter byNameAccountOrEmail searches contact name, account name and e-mail address separately"},
		}},
		{Name: ContactStaff, Options: []Option{
			{"marked", "the catalogue sets isStaff and isInstructor of a contact; both fields are false for a contact that a mutation created"},
			{"users", "isStaff is true for a contact who belongs to a user"},
		}},
		{Name: UserFields, Options: []Option{
			{"shown", "a user has the field lastName, and the query of users accepts filters and order"},
			{Absent, "a user has only the fields id, fullName, firstName and contact; the query of users accepts only first, offset and after"},
		}},
		{Name: CustomFieldKeys, Options: []Option{
			{"any", "attributes of opportunities and custom values of learners may have any key"},
			{"defined", "an attribute of an opportunity or a custom value of a learner is refused if the type has no custom field with the key"},
		}},
		{Name: CustomFieldTypes, Options: []Option{
			{"all", "customFieldTemplate accepts the types Event (observed), Opportunity, Account, Contact and Learner"},
			{"event", "customFieldTemplate accepts only the type Event"},
		}},
		{Name: MailRecipient, Options: []Option{
			{"refused", "if one recipient is unknown or has no e-mail address, the mail is sent to nobody"},
			{"skipped", "recipients who are unknown or have no e-mail address are skipped; the other recipients get the mail"},
		}},
		{Name: MailAudience, Options: []Option{
			{"active", "a mail to learners goes to the active learners if the input names neither learners nor an audience"},
			{"nobody", "a mail to learners goes to nobody if the input names neither learners nor an audience"},
		}},
		{Name: MailBooker, Options: []Option{
			{"learner", "the booking contact of a registration is the contact of its first learner"},
			{"opportunity", "the booking contact of a registration is the contact of its opportunity, if the opportunity has a contact"},
		}},
		{Name: LogID, Options: []Option{
			{"there", "createExternalIntegrationLog returns entityId"},
			{Absent, "createExternalIntegrationLog returns only errors"},
		}},
		{Name: LogList, Options: []Option{
			{"list", "the input of createExternalIntegrationLogs is a list of entries or one entry"},
			{"one", "the input of createExternalIntegrationLogs is one entry"},
		}},
		{Name: LogOpportunity, Options: []Option{
			{"taken", "entries of the integration log may be about opportunities"},
			{"refused", "entries of the integration log about opportunities are refused"},
		}},
		{Name: LogRead, Options: []Option{
			{"there", "the query externalIntegrationLogs returns entries of the integration log"},
			{Absent, "no query returns entries of the integration log"},
		}},
	}
}
