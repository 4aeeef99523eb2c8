package exchange

import (
	"maps"
	"slices"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// EffectRequest is one API request or service call that an effect still needs, according to an
// inspection of the effect. An EffectRequest names no person.
type EffectRequest struct {
	Kind EffectRequestKind `json:"kind"`
	// Target is the object of the request: an account, an event, an invoice, a learner, or the
	// contact who receives a mail. Target is empty when the object is the opportunity.
	Target opportunity.ID `json:"on,omitempty"`
	// IDs are the contacts, interests or learners of the request.
	IDs []opportunity.ID `json:"ids,omitempty"`
	// Attendees are the indexes of the attendees for whom the request is sent.
	Attendees []int `json:"attendees,omitempty"`
	// Values contains attributes of the record by their keys. For an invoice, the keys of Values
	// are the names of the texts that the undo restores. For new contacts, the value with the key
	// account is the account of the contacts.
	Values map[string]string `json:"values,omitempty"`
	// Until is the time until which places are reserved, in UTC.
	Until time.Time `json:"until,omitzero"`
}

// ValueAccount is the key of the account in the values of a request to create contacts. The value is
// "" if the contacts get no account.
const ValueAccount = "account"

// WithAccount returns the request with the account of the contacts to create.
func (r EffectRequest) WithAccount(account opportunity.ID) EffectRequest {
	values := maps.Clone(r.Values)
	if values == nil {
		values = make(map[string]string)
	}
	values[ValueAccount] = string(account)
	r.Values = values
	return r
}

// EffectRequestKind names a request that an effect may need.
type EffectRequestKind string

// The requests of effects.
const (
	RequestCreateAccount    EffectRequestKind = "createAccount"
	RequestSetAccount       EffectRequestKind = "setAccount"
	RequestCreateContacts   EffectRequestKind = "createContacts"
	RequestSetAttributes    EffectRequestKind = "setAttributes"
	RequestReserve          EffectRequestKind = "hold"
	RequestExtend           EffectRequestKind = "extend"
	RequestRelease          EffectRequestKind = "release"
	RequestRegister         EffectRequestKind = "register"
	RequestCancelLearner    EffectRequestKind = "cancelLearner"
	RequestReinstateLearner EffectRequestKind = "reinstateLearner"
	RequestFillInvoice      EffectRequestKind = "fillInvoice"
	RequestFinaliseInvoice  EffectRequestKind = "finaliseInvoice"
	RequestEmail            EffectRequestKind = "mail"
	RequestLog              EffectRequestKind = "log"
	RequestCall             EffectRequestKind = "call"
)

// IsVerifiable reports whether a later inspection can show the result of the request. The API does
// not show whether a mail was sent or a log entry was written.
func (k EffectRequestKind) IsVerifiable() bool { return k != RequestEmail && k != RequestLog }

// IsIdempotent reports whether a request of unknown result may be sent again. Only the call of a
// service may be sent again, because the service recognises a repeated call by the idempotency key.
func (k EffectRequestKind) IsIdempotent() bool { return k == RequestCall }

// IsIndependent reports whether the requests a and b of two effects may be sent together: neither
// request needs the result of the other. Requests of the same kind are not independent, because both
// may change the same value.
func IsIndependent(a, b EffectRequestKind) bool {
	free := []EffectRequestKind{RequestCreateAccount, RequestSetAccount, RequestCreateContacts, RequestSetAttributes, RequestRegister, RequestFillInvoice}
	if a == b || !slices.Contains(free, a) || !slices.Contains(free, b) {
		return false
	}
	for _, needs := range [][2]EffectRequestKind{
		{RequestCreateAccount, RequestSetAccount}, {RequestCreateAccount, RequestCreateContacts}, // the new contacts get the account
		{RequestCreateContacts, RequestRegister},
	} {
		if needs == [2]EffectRequestKind{a, b} || needs == [2]EffectRequestKind{b, a} {
			return false
		}
	}
	return true
}

// Summary describes the request in a few words, without personal data.
func (k EffectRequestKind) Summary() string {
	switch k {
	case RequestCreateAccount:
		return "create the account"
	case RequestSetAccount:
		return "set the account"
	case RequestCreateContacts:
		return "create contacts"
	case RequestSetAttributes:
		return "set attributes"
	case RequestReserve:
		return "reserve places"
	case RequestExtend:
		return "change the expiry time of the reservation"
	case RequestRelease:
		return "release the places"
	case RequestRegister:
		return "register learners"
	case RequestCancelLearner:
		return "cancel a learner"
	case RequestReinstateLearner:
		return "reinstate a learner"
	case RequestFillInvoice:
		return "fill in the invoice"
	case RequestFinaliseInvoice:
		return "finalise the invoice"
	case RequestEmail:
		return "send a mail"
	case RequestLog:
		return "write a log entry"
	case RequestCall:
		return "call a service"
	}
	return string(k)
}

// Describe describes the request and its object in a few words, without personal data. The
// parameter about describes the object. If about is "", only the id of the object is known.
func (r EffectRequest) Describe(about string) string {
	if about == "" && r.Target.Type() == opportunity.TypeEvent {
		about = "event " + string(r.Target)
	}
	if about == "" {
		return r.Kind.Summary()
	}
	return r.Kind.Summary() + ", " + about
}

// UndoEntry is the data from which Oppflow can undo an effect: the state before the effect, and the
// objects that the effect found or created. An UndoEntry names no person.
type UndoEntry struct {
	// Account is the account of the record before the effect, or "" when the record had no account.
	// AccountRead says that the account was read.
	Account     opportunity.ID `json:"account,omitempty"`
	AccountRead bool           `json:"hadAccount,omitempty"`
	// Attributes contains the values that the attributes of the record had before the effect, by
	// the attributes' keys.
	Attributes map[string]string `json:"attributes,omitempty"`
	// Notes contains values that only the code for this kind of effect uses.
	Notes map[string]string `json:"values,omitempty"`
	// Until is the expiry time of the reservation before the effect, or zero when no places were
	// reserved.
	Until time.Time `json:"until,omitzero"`
	// PurchaseOrder and Comments are the texts of the draft invoice before the effect.
	PurchaseOrder string `json:"purchaseOrder,omitempty"`
	Comments      string `json:"comments,omitempty"`
	// Objects are the objects that the effect found or created, each object once, in the order in
	// which they were added.
	Objects []opportunity.TouchedObject `json:"records,omitempty"`
}

// WithObject returns the undo entry with the object added. If the undo entry contains a learner
// without an id, because the learner was not created yet, WithObject adds the id to the learner.
func (t UndoEntry) WithObject(r opportunity.TouchedObject) UndoEntry {
	if r.ID == "" && r.Contact == "" {
		return t
	}
	records := slices.Clone(t.Objects)
	at := slices.IndexFunc(records, func(o opportunity.TouchedObject) bool {
		return o.Kind == r.Kind && (o.ID == r.ID && r.ID != "" || o.ID == "" && o.Contact == r.Contact && o.Event == r.Event)
	})
	switch {
	case at < 0:
		records = append(records, r)
	case records[at].ID == "":
		records[at].ID = r.ID
	}
	t.Objects = records
	return t
}

// Attendee is a person who is to attend an event. Oppflow stores an attendee while the playbook may
// still register the attendee, because the API does not show the learners of an interest.
type Attendee struct {
	// Interest is the interest that names the person, and Event is the item of that interest.
	Interest opportunity.ID `json:"interest"`
	Event    opportunity.ID `json:"event"`
	// Person contains the data of the person; nil once Contact is set.
	Person *opportunity.Learner `json:"person,omitempty"`
	// Contact is the id of the person's contact in the TMS, or "" while the contact is unknown. If
	// both Person and Contact are empty, an operator excluded the attendee.
	Contact opportunity.ID `json:"contact,omitempty"`
	// InDoubt says that an operator must decide about the person: a contact with a different name
	// has the person's e-mail address. SameAsContact is the operator's decision.
	InDoubt       bool            `json:"inDoubt,omitempty"`
	SameAsContact ContactDecision `json:"sameAsContact,omitempty"`
	// Learner is the id of the place on the event that an effect of this opportunity booked for the
	// person. RegisteredBefore says that the person was registered on the event before an effect of
	// this opportunity registered learners.
	Learner          opportunity.ID `json:"learner,omitempty"`
	RegisteredBefore bool           `json:"registeredBefore,omitempty"`
}

// ContactDecision is an operator's decision about a person whose e-mail address belongs to a
// contact with a different name. The zero value means that no operator has decided.
type ContactDecision string

// The two decisions.
const (
	// DecisionSamePerson: the person is the contact with that e-mail address.
	DecisionSamePerson ContactDecision = "same"
	// DecisionOtherPerson: the person is not the contact with that e-mail address, and gets a new
	// contact.
	DecisionOtherPerson ContactDecision = "other"
)

// OverbookedEvent is an event for which the number of learners and reserved places exceeds the
// number of places.
type OverbookedEvent struct {
	Event opportunity.ID `json:"event"`
	Title string         `json:"title,omitempty"`
	// By is the number of missing places, at least 1.
	By int `json:"by"`
}
