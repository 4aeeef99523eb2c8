package exchange

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// EffectRequest is one request that an effect still needs, as an inspection of the effect
// found. It is plain data: the activity that inspects writes it, and the activity
// that acts reads it. It names no person.
type EffectRequest struct {
	Kind EffectRequestKind `json:"kind"`
	// Target is the object of the act when that is not the opportunity: an account, an
	// event, an invoice, a learner, or the contact who gets a mail.
	Target opportunity.ID `json:"on,omitempty"`
	// IDs are contacts, interests or learners.
	IDs []opportunity.ID `json:"ids,omitempty"`
	// Attendees are the indexes of the attendees that the act is about.
	Attendees []int `json:"attendees,omitempty"`
	// Values are attributes of the record by their keys; for an invoice they name
	// the texts that are written back.
	Values map[string]string `json:"values,omitempty"`
	// Until is the time until which places are held, in UTC.
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

// IsIdempotent reports whether a request of unknown result may be sent again. This
// holds for services, since they recognise a repeated call by its key.
func (k EffectRequestKind) IsIdempotent() bool { return k == RequestCall }

// Summary describes the act in a few words, without personal data.
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
		return "hold places"
	case RequestExtend:
		return "hold the places until another time"
	case RequestRelease:
		return "give the places back"
	case RequestRegister:
		return "register learners"
	case RequestCancelLearner:
		return "cancel a learner"
	case RequestReinstateLearner:
		return "take a learner back"
	case RequestFillInvoice:
		return "fill the invoice in"
	case RequestFinaliseInvoice:
		return "make the invoice final"
	case RequestEmail:
		return "send a mail"
	case RequestLog:
		return "write an entry of the log"
	case RequestCall:
		return "call a service"
	}
	return string(k)
}

// UndoEntry is what Oppflow keeps of an effect: the state before, in order to undo the
// effect, and what was found or made. It names no person.
type UndoEntry struct {
	// Account was the account of the record before, "" when it had none; AccountRead
	// says that the account was read.
	Account     opportunity.ID `json:"account,omitempty"`
	AccountRead bool           `json:"hadAccount,omitempty"`
	// Values are the attributes as they were before, by their keys.
	Values map[string]string `json:"values,omitempty"`
	// Until is the time until which places were held before; zero when none were.
	Until time.Time `json:"until,omitzero"`
	// PurchaseOrder and Comments were in the draft before.
	PurchaseOrder string `json:"purchaseOrder,omitempty"`
	Comments      string `json:"comments,omitempty"`
	// Objects are the records that were found or made, each once, in the order of
	// first appearance.
	Objects []opportunity.TouchedObject `json:"records,omitempty"`
}

// WithObject returns the trace with the record. A record that the trace already holds is
// not added twice. A learner without an id is about to be made.
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

// Attendee is a person to be trained on an event. Attendees are kept as long as a
// playbook may still want to register them, since the API does not show the learners
// of an interest.
type Attendee struct {
	// Interest is the interest that names the person, Event its item.
	Interest opportunity.ID `json:"interest"`
	Event    opportunity.ID `json:"event"`
	// Person is the person by name, until the contact is known.
	Person *opportunity.Learner `json:"person,omitempty"`
	// Contact is the person's contact in the TMS, "" until it is known.
	Contact opportunity.ID `json:"contact,omitempty"`
}
