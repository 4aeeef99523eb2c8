package assumptions

const (
	// ProgressUnknown says with which label the API refuses a progress to an unknown step.
	ProgressUnknown Name = "progress.unknown"
	// ClosedOpportunity says whether an opportunity that is Won, Lost or Archived can be changed.
	ClosedOpportunity Name = "closed"
	// MissingAttributes says which attributes an error names when a transition lacks required
	// attributes.
	MissingAttributes Name = "required.missing"
	// TriggerAccount says from which data the trigger "account" of a transition creates the
	// account.
	TriggerAccount Name = "trigger.account"
	// TriggerContact says from which data the trigger "contact" of a transition creates contacts.
	TriggerContact Name = "trigger.contact"
	// TriggerInvoice says what the trigger "invoice" does when it runs a second time for an
	// opportunity.
	TriggerInvoice Name = "trigger.invoice"
	// TriggerInvoiceAccount says what the trigger "invoice" does when the opportunity has no
	// account.
	TriggerInvoiceAccount Name = "trigger.invoice.account"
	// TriggerToken says what the trigger "token" does when the opportunity has no account.
	TriggerToken Name = "trigger.token"
	// TriggerRegistration says what the trigger "registration" does with an event that was
	// cancelled or is a draft.
	TriggerRegistration Name = "trigger.registration"
	// BookingFilters says by which fields registrations, learners and invoices can be filtered.
	BookingFilters Name = "filter.bookings"
	// InvoiceFinal says whether an invoice that is not a draft can be changed.
	InvoiceFinal Name = "invoice.final"
)

func pipeline() []Assumption {
	return []Assumption{
		{Name: ProgressUnknown, Options: []Option{
			{"not-found", "a transition to an unknown step is refused with the label Not Found"},
			{"transition", "a transition to an unknown step is refused with the label Transition Not Found"},
		}},
		{Name: ClosedOpportunity, Options: []Option{
			{"open", "Won, Lost and Archived opportunities accept transitions and interests like open opportunities"},
			{"refused", "Won, Lost and Archived opportunities accept neither transitions nor interests"},
		}},
		{Name: MissingAttributes, Options: []Option{
			{"all", "a refused transition names all required attributes that are empty"},
			{"first", "a refused transition names only the first required attribute that is empty"},
		}},
		{Name: TriggerAccount, Options: []Option{
			{"made", "if the opportunity has no account, the trigger account creates an account with the opportunity's name"},
			{"reused", "if the opportunity has no account, the trigger account uses an existing account with the opportunity's name"},
		}},
		{Name: TriggerContact, Options: []Option{
			{"reused", "the trigger contact uses the account's contact with the learner's e-mail address, or creates a contact if the account has no contact with this address"},
			{"made", "the trigger contact creates a contact for each new learner"},
		}},
		{Name: TriggerInvoice, Options: []Option{
			{"kept", "the trigger invoice creates no invoice if the opportunity has an invoice that is not void"},
			{"another", "the trigger invoice always creates another draft invoice"},
		}},
		{Name: TriggerInvoiceAccount, Options: []Option{
			{"refused", "the trigger invoice fails if the opportunity has no account"},
			{"skipped", "the trigger invoice creates no invoice if the opportunity has no account"},
		}},
		{Name: TriggerToken, Options: []Option{
			{"refused", "the trigger token fails if the opportunity has tokens to issue but no account"},
			{"skipped", "the trigger token issues no tokens if the opportunity has no account"},
		}},
		{Name: TriggerRegistration, Options: []Option{
			{"refused", "the trigger registration fails if one of the opportunity's events was cancelled or is a draft"},
			{"skipped", "the trigger registration skips events that were cancelled or are drafts, and registers the learners on the other events"},
		}},
		{Name: BookingFilters, Options: []Option{
			{"many", "besides the observed fields, registrations can be filtered by id, eventId and sourceOpportunityId, learners by registrationId, and invoices by accountId and lifecycleState"},
			{Absent, "registrations can be filtered only by account, learners only by the observed fields, and invoices only by id"},
		}},
		{Name: InvoiceFinal, Options: []Option{
			{"refused", "only a draft invoice can be updated or finalised"},
			{"changed", "an invoice that is not a draft can be updated; finalising a finalised invoice again changes nothing"},
		}},
	}
}
