package assumptions

// The rows about transitions and their triggers.
const (
	// ProgressUnknown says how a progress to an unknown step is refused.
	ProgressUnknown Name = "progress.unknown"
	// ClosedOpportunity says whether an opportunity that is Won, Lost or Archived can be changed.
	ClosedOpportunity Name = "closed"
	// MissingAttributes says how a transition without its required attributes is refused.
	MissingAttributes Name = "required.missing"
	// TriggerAccount says from which data the account trigger creates the account.
	TriggerAccount Name = "trigger.account"
	// TriggerContact says from which data the contact trigger creates contacts.
	TriggerContact Name = "trigger.contact"
	// TriggerInvoice says what a second invoice trigger does.
	TriggerInvoice Name = "trigger.invoice"
	// TriggerInvoiceAccount says what an invoice trigger does without an account.
	TriggerInvoiceAccount Name = "trigger.invoice.account"
	// TriggerToken says what a token trigger does without an account.
	TriggerToken Name = "trigger.token"
	// TriggerRegistration says what a registration trigger does with an event that takes no registrations.
	TriggerRegistration Name = "trigger.registration"
	// BookingFilters says by which fields registrations, learners and invoices can be found.
	BookingFilters Name = "filter.bookings"
	// InvoiceFinal says whether an invoice that is not a draft can be changed.
	InvoiceFinal Name = "invoice.final"
)

func pipeline() []Assumption {
	return []Assumption{
		{Name: ProgressUnknown, Options: []Option{
			{"not-found", "an unknown step is refused as Not Found"},
			{"transition", "as Transition Not Found, like any other without a transition"},
		}},
		{Name: ClosedOpportunity, Options: []Option{
			{"open", "opportunities that are Won, Lost or Archived can be moved and get interests like others"},
			{"refused", "both are refused"},
		}},
		{Name: MissingAttributes, Options: []Option{
			{"all", "a move that lacks required attributes is refused with all of them"},
			{"first", "with the first one"},
		}},
		{Name: TriggerAccount, Options: []Option{
			{"made", "the trigger account makes one named like the opportunity, unless the opportunity has one"},
			{"reused", "it takes one of that name that is there"},
		}},
		{Name: TriggerContact, Options: []Option{
			{"reused", "the trigger contact takes a contact of the account with the learner's e-mail address, and makes one where there is none"},
			{"made", "it makes one for each new learner"},
		}},
		{Name: TriggerInvoice, Options: []Option{
			{"kept", "the trigger invoice leaves an invoice that is there and not void as it is"},
			{"another", "it drafts another one"},
		}},
		{Name: TriggerInvoiceAccount, Options: []Option{
			{"refused", "the trigger invoice fails where the opportunity has no account"},
			{"skipped", "it drafts nothing then"},
		}},
		{Name: TriggerToken, Options: []Option{
			{"refused", "the trigger token fails where there are tokens to issue and the opportunity has no account"},
			{"skipped", "it issues nothing then"},
		}},
		{Name: TriggerRegistration, Options: []Option{
			{"refused", "the trigger registration fails if one of the events was cancelled or is a draft"},
			{"skipped", "it registers on the others"},
		}},
		{Name: BookingFilters, Options: []Option{
			{"many", "registrations can be filtered by id, eventId and sourceOpportunityId, learners by registrationId, invoices by accountId and lifecycleState, too"},
			{Absent, "registrations by account only, learners by the fields seen, invoices by id"},
		}},
		{Name: InvoiceFinal, Options: []Option{
			{"refused", "an invoice that is no draft can be neither updated nor finalised"},
			{"changed", "it can be updated, and finalising it again changes nothing"},
		}},
	}
}
