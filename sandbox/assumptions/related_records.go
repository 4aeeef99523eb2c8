package assumptions

// These assumptions are about accounts, contacts, users, custom fields, mail and the integration log.
const (
	OpportunityOwnerAndContact Name = "opportunity.people"
	AccountInputs              Name = "account.inputs"
	AccountMerged              Name = "account.merged"
	AddressUsage               Name = "address.usage"
	AddressLines               Name = "address.lines"
	ContactEmail               Name = "contact.email"
	ContactIndividual          Name = "contact.individual"
	ContactCreate              Name = "contact.create"
	ContactBatch               Name = "contact.batch"
	ContactMiddleName          Name = "contact.middle-name"
	ContactSearch              Name = "contact.byNameAccountOrEmail"
	ContactStaff               Name = "contact.isStaff"
	UserFields                 Name = "user.fields"
	CustomFieldKeys            Name = "custom-field.keys"
	CustomFieldTypes           Name = "custom-field.types"
	MailRecipient              Name = "mail.recipient"
	MailAudience               Name = "mail.audience"
	MailBooker                 Name = "mail.booker"
	LogID                      Name = "log.id"
	LogList                    Name = "log.list"
	LogOpportunity             Name = "log.opportunity"
	LogRead                    Name = "log.read"
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
			{"refused", "if one recipient is unknown or has no e-mail address, the mail is sent to no recipient"},
			{"skipped", "recipients who are unknown or have no e-mail address are skipped; the other recipients get the mail"},
		}},
		{Name: MailAudience, Options: []Option{
			{"active", "a mail to learners goes to the active learners if the input names neither learners nor an audience"},
			{"nobody", "a mail to learners goes to no learner if the input names neither learners nor an audience"},
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
