package playbook

import (
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// EffectRule is one effect, under the name of its kind, and the condition under which the effect
// applies. An effect inspects first, and does only what is not done yet.
type EffectRule struct {
	// When is a condition; without it the effect always applies.
	When Expression `json:"when,omitempty"`
	// Account gives the opportunity an account when it has none.
	Account *AccountRule `json:"account,omitempty"`
	// Contacts creates contacts for the learners of the interests.
	Contacts *ContactsRule `json:"contacts,omitempty"`
	// Attributes sets attributes of the record.
	Attributes *AttributesRule `json:"attributes,omitempty"`
	// Reserve reserves places for the interests in events.
	Reserve *ReserveRule `json:"reserve,omitempty"`
	// Extend sets another expiry time for the reservation.
	Extend *ExtendRule `json:"extend,omitempty"`
	// Release releases all reserved places, after which the opportunity can never reserve places
	// again.
	Release *ReleaseRule `json:"release,omitempty"`
	// Register registers the learners on their events.
	Register *RegisterRule `json:"register,omitempty"`
	// CancelRegistrations cancels the registrations of the opportunity's learners.
	CancelRegistrations *CancelRegistrationsRule `json:"cancelRegistrations,omitempty"`
	// Invoice waits for the draft invoice of the TMS, fills the draft in and makes the invoice
	// final.
	Invoice *InvoiceRule `json:"invoice,omitempty"`
	// Tokens checks that training tokens were issued.
	Tokens *TokensRule `json:"tokens,omitempty"`
	// Email sends a mail.
	Email *EmailRule `json:"email,omitempty"`
	// Log writes an entry of the external integration log of the record.
	Log *LogRule `json:"log,omitempty"`
	// Call calls a service of the tenant.
	Call *CallRule `json:"call,omitempty"`
}

// AccountRule says what a new account is called.
type AccountRule struct {
	// Name is a template; without it the account gets the name of the opportunity.
	Name Text `json:"name,omitempty"`
}

// ContactsRule says which contact is used.
type ContactsRule struct {
	// OnMultipleMatches says what to do when more than one contact has the e-mail address: ask an
	// operator (the default), or take the oldest.
	OnMultipleMatches string `json:"several,omitempty" jsonschema:"enum=ask,enum=oldest"`
}

// AttributesRule says which attributes get which values.
type AttributesRule struct {
	// Set holds a template for every key.
	Set map[string]Text `json:"set"`
}

// ReserveRule says how long places are reserved.
type ReserveRule struct {
	// For is the time from now until the reservation expires, at least a minute.
	For Period `json:"for"`
	// NoneReserved promises that the opportunity has no reserved places yet, which an effect
	// before a transition requires, because an undo releases all places.
	NoneReserved bool `json:"noneHeld,omitempty"`
}

// ExtendRule says how long places are reserved.
type ExtendRule struct {
	// For is the time from now until the reservation expires, at least a minute.
	For Period `json:"for"`
}

// ReleaseRule has no settings.
type ReleaseRule struct{}

// RegisterRule says what happens to the reserved places.
type RegisterRule struct {
	// KeepReservation keeps the reservation until it expires; otherwise the places are released
	// once all learners are registered, because the places count twice.
	KeepReservation bool `json:"keepPlaces,omitempty"`
}

// CancelRegistrationsRule has no settings.
type CancelRegistrationsRule struct{}

// InvoiceRule says what the invoice contains and when it is made final.
type InvoiceRule struct {
	// Wait is how long the draft may take to appear; the default is 1 hour.
	Wait Period `json:"wait,omitzero"`
	// PurchaseOrder is a template.
	PurchaseOrder Text `json:"purchaseOrder,omitempty"`
	// Comments is a template.
	Comments Text `json:"comments,omitempty"`
	// FinaliseBeforeStart is how long before the start of the first event the invoice is made
	// final; without it the invoice stays a draft.
	FinaliseBeforeStart *Period `json:"finaliseBeforeStart,omitempty"`
}

// TokensRule says how long tokens may take to be issued.
type TokensRule struct {
	// Wait is how long the issue of the tokens may take; the default is 1 hour.
	Wait Period `json:"wait,omitzero"`
}

// EmailRule says which mail is sent, and to whom.
type EmailRule struct {
	// To is the owner or the contact of the record.
	To string `json:"to" jsonschema:"enum=owner,enum=contact"`
	// Use is the name of a mail under emails.
	Use string `json:"use"`
}

// LogRule says what is written to the log.
type LogRule struct {
	// Message is a template on one line, which names no person.
	Message Text `json:"message"`
	// Status is the status of the entry; the default is success.
	Status string `json:"status,omitempty" jsonschema:"enum=success,enum=failed,enum=partial"`
}

// CallRule says which service is called.
type CallRule struct {
	// Service is the name of a service under services.
	Service string `json:"service"`
	// Path follows the address of the service; it begins with a slash.
	Path string `json:"path"`
	// Undo is the path that is called to undo the call.
	Undo string `json:"undo,omitempty"`
}

// givenKinds returns the kinds of effects that are given, in the order of the members.
func (e EffectRule) givenKinds() []opportunity.EffectKind {
	var kinds []opportunity.EffectKind
	for _, one := range []struct {
		kind opportunity.EffectKind
		is   bool
	}{
		{opportunity.EffectAccount, e.Account != nil},
		{opportunity.EffectContacts, e.Contacts != nil},
		{opportunity.EffectAttributes, e.Attributes != nil},
		{opportunity.EffectReserve, e.Reserve != nil},
		{opportunity.EffectExtend, e.Extend != nil},
		{opportunity.EffectRelease, e.Release != nil},
		{opportunity.EffectRegister, e.Register != nil},
		{opportunity.EffectCancelRegistrations, e.CancelRegistrations != nil},
		{opportunity.EffectInvoice, e.Invoice != nil},
		{opportunity.EffectTokens, e.Tokens != nil},
		{opportunity.EffectEmail, e.Email != nil},
		{opportunity.EffectLog, e.Log != nil},
		{opportunity.EffectCall, e.Call != nil},
	} {
		if one.is {
			kinds = append(kinds, one.kind)
		}
	}
	return kinds
}

// kind returns the kind of a valid effect, which has exactly one.
func (e EffectRule) kind() opportunity.EffectKind {
	if kinds := e.givenKinds(); len(kinds) == 1 {
		return kinds[0]
	}
	return ""
}

// undo returns how much of the effect can be undone, and says in words how the effect is undone
// or why it cannot be undone.
func (e EffectRule) undo() (exchange.UndoLevel, string) {
	switch e.kind() {
	case opportunity.EffectAccount:
		return exchange.UndoPartial, "an account that was made stays in the TMS, without the opportunity"
	case opportunity.EffectContacts:
		return exchange.UndoPartial, "contacts that were made stay in the TMS"
	case opportunity.EffectAttributes:
		return exchange.UndoExact, "the values of before are written back"
	case opportunity.EffectReserve:
		if e.Reserve.NoneReserved {
			return exchange.UndoPartial, "the places expire an hour later, unless somebody holds on to them, and then the opportunity can hold none again"
		}
		return exchange.UndoNone, "giving the places back would drop every place the opportunity holds, and it could never hold any again"
	case opportunity.EffectExtend:
		return exchange.UndoExact, "the expiry of before is set again"
	case opportunity.EffectRelease:
		return exchange.UndoNone, "an opportunity whose places were given back can never hold any again"
	case opportunity.EffectRegister:
		how := "the learners that were registered are cancelled, and stay in the list of the event"
		if !e.Register.KeepReservation {
			how += "; places that were given back are not held again"
		}
		return exchange.UndoPartial, how
	case opportunity.EffectCancelRegistrations:
		return exchange.UndoPartial, "the learners that were cancelled are taken back, as far as there are places"
	case opportunity.EffectInvoice:
		if e.Invoice.FinaliseBeforeStart != nil {
			return exchange.UndoNone, "a final invoice cannot be made a draft again"
		}
		return exchange.UndoExact, "what stood in the draft is written back"
	case opportunity.EffectTokens:
		return exchange.UndoExact, "it only looks"
	case opportunity.EffectEmail:
		return exchange.UndoNone, "a mail that was sent cannot be called back"
	case opportunity.EffectLog:
		return exchange.UndoNone, "entries of the log cannot be deleted"
	case opportunity.EffectCall:
		if e.Call.Undo != "" {
			return exchange.UndoPartial, "the service is told to take it back"
		}
		return exchange.UndoNone, "no path is given that takes the call back"
	}
	return exchange.UndoNone, ""
}
