package exchange

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// EffectRequest is one request that an effect still needs, as an inspection of the effect found.
// An EffectRequest is plain data: the activity that inspects writes the data, and the activity
// that sends the request reads the data. An EffectRequest names no person.
type EffectRequest struct {
	Kind EffectRequestKind `json:"kind"`
	// Target is the object of the request: an account, an event, an invoice, a learner, or the
	// contact who gets a mail. Target is empty when the object is the opportunity.
	Target opportunity.ID `json:"on,omitempty"`
	// IDs are contacts, interests or learners; for a mail, the contacts when there are several.
	IDs []opportunity.ID `json:"ids,omitempty"`
	// Attendees are the indexes of the attendees that the request is about.
	Attendees []int `json:"attendees,omitempty"`
	// Values are attributes of the record by their keys; for an invoice, the keys of Values name
	// the texts that are written back.
	Values map[string]string `json:"values,omitempty"`
	// Until is the time until which places are reserved, in UTC.
	Until time.Time `json:"until,omitzero"`
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

// IsVerifiable reports whether another inspection shows the result of the request. The API
// shows nothing of mails and log entries afterwards.
func (k EffectRequestKind) IsVerifiable() bool { return k != RequestEmail && k != RequestLog }

// IsIdempotent reports whether a request whose result is unknown may be sent again. Only a call
// of a service may be sent again, because services recognise a repeated call by its key.
func (k EffectRequestKind) IsIdempotent() bool { return k == RequestCall }

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

// Describe describes the request and its object in a few words, without personal data. about names
// the object; "" means that only its id is known.
func (r EffectRequest) Describe(about string) string {
	if about == "" && r.Target.Type() == opportunity.TypeEvent {
		about = "event " + string(r.Target)
	}
	if about == "" {
		return r.Kind.Summary()
	}
	return r.Kind.Summary() + ", " + about
}

// UndoEntry is what Oppflow keeps of an effect in order to undo it: the state before the effect,
// and the objects that the effect found or created. An UndoEntry names no person.
type UndoEntry struct {
	// Account is the account of the record before the effect, "" when the record had none;
	// AccountRead says that the account was read.
	Account     opportunity.ID `json:"account,omitempty"`
	AccountRead bool           `json:"hadAccount,omitempty"`
	// Attributes are the attributes of the record before the effect, by their keys.
	Attributes map[string]string `json:"attributes,omitempty"`
	// Notes are private values of the effect's kind. Only the activities read Notes.
	Notes map[string]string `json:"values,omitempty"`
	// Until is the time until which places were reserved before the effect; zero when no places
	// were reserved.
	Until time.Time `json:"until,omitzero"`
	// PurchaseOrder and Comments are the texts of the draft before the effect.
	PurchaseOrder string `json:"purchaseOrder,omitempty"`
	Comments      string `json:"comments,omitempty"`
	// Objects are the objects that the effect found or created, each once, in the order of first
	// appearance.
	Objects []opportunity.TouchedObject `json:"records,omitempty"`
}

// WithObject returns the undo entry with the object. An object that the undo entry already
// contains is not added twice. When the undo entry contains a learner without an id, which was not
// created before, WithObject adds the id.
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

// Attendee is a person who is to attend an event. An attendee is kept as long as the playbook may
// still register the attendee, because the API does not show the learners of an interest.
type Attendee struct {
	// Interest is the interest that names the person, and Event is the item of that interest.
	Interest opportunity.ID `json:"interest"`
	Event    opportunity.ID `json:"event"`
	// Person describes the person until Contact is set; nil after that.
	Person *opportunity.Learner `json:"person,omitempty"`
	// Contact is the person's contact in the TMS, "" until the contact is known. An attendee with
	// neither Person nor Contact was left out by an operator.
	Contact opportunity.ID `json:"contact,omitempty"`
	// InDoubt says that an operator is asked whether the person is the contact that has the
	// person's e-mail address and another name. SameAsContact is the operator's response.
	InDoubt       bool            `json:"inDoubt,omitempty"`
	SameAsContact ContactDecision `json:"sameAsContact,omitempty"`
}

// ContactDecision is an operator's decision about a person whose e-mail address belongs to a
// contact of another name. The zero value means that no operator has decided.
type ContactDecision string

// The two decisions.
const (
	// DecisionSamePerson: the person is the contact with the e-mail address.
	DecisionSamePerson ContactDecision = "same"
	// DecisionOtherPerson: the person is another person, and gets a new contact.
	DecisionOtherPerson ContactDecision = "other"
)

// OverbookedEvent is an event with more learners and reserved places than places.
type OverbookedEvent struct {
	Event opportunity.ID `json:"event"`
	Title string         `json:"title,omitempty"`
	// By is how many places the event lacks, at least 1.
	By int `json:"by"`
}
