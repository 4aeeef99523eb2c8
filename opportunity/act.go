package opportunity

import (
	"slices"
	"time"
)

// Act is one request that an effect still needs, as an inspection of the effect
// found. It is plain data: the activity that inspects writes it, and the activity
// that acts reads it. It names no person.
type Act struct {
	Kind ActKind `json:"kind"`
	// On is the object of the act when that is not the opportunity: an account, an
	// event, an invoice, a learner, or the contact who gets a mail.
	On ID `json:"on,omitempty"`
	// IDs are contacts, interests or learners.
	IDs []ID `json:"ids,omitempty"`
	// Attendees are the indexes of the attendees that the act is about.
	Attendees []int `json:"attendees,omitempty"`
	// Values are attributes of the record by their keys; for an invoice they name
	// the texts that are written back.
	Values map[string]string `json:"values,omitempty"`
	// Until is the time until which places are held, in UTC.
	Until time.Time `json:"until,omitzero"`
}

// ActKind names a request that an effect may need.
type ActKind string

// The requests of effects.
const (
	ActCreateAccount  ActKind = "createAccount"
	ActSetAccount     ActKind = "setAccount"
	ActCreateContacts ActKind = "createContacts"
	ActSetAttributes  ActKind = "setAttributes"
	ActHold           ActKind = "hold"
	ActExtend         ActKind = "extend"
	ActRelease        ActKind = "release"
	ActRegister       ActKind = "register"
	ActCancelLearner  ActKind = "cancelLearner"
	ActReinstate      ActKind = "reinstateLearner"
	ActFillInvoice    ActKind = "fillInvoice"
	ActFinalise       ActKind = "finaliseInvoice"
	ActMail           ActKind = "mail"
	ActLog            ActKind = "log"
	ActCall           ActKind = "call"
)

// IsSeen reports whether another inspection shows the result of the request. The API
// shows nothing of mails and log entries afterwards.
func (k ActKind) IsSeen() bool { return k != ActMail && k != ActLog }

// MayRepeat reports whether a request of unknown result may be sent again. This
// holds for services, since they recognise a repeated call by its key.
func (k ActKind) MayRepeat() bool { return k == ActCall }

// Summary describes the act in a few words, without personal data.
func (k ActKind) Summary() string {
	switch k {
	case ActCreateAccount:
		return "create the account"
	case ActSetAccount:
		return "set the account"
	case ActCreateContacts:
		return "create contacts"
	case ActSetAttributes:
		return "set attributes"
	case ActHold:
		return "hold places"
	case ActExtend:
		return "hold the places until another time"
	case ActRelease:
		return "give the places back"
	case ActRegister:
		return "register learners"
	case ActCancelLearner:
		return "cancel a learner"
	case ActReinstate:
		return "take a learner back"
	case ActFillInvoice:
		return "fill the invoice in"
	case ActFinalise:
		return "make the invoice final"
	case ActMail:
		return "send a mail"
	case ActLog:
		return "write an entry of the log"
	case ActCall:
		return "call a service"
	}
	return string(k)
}

// Trace is what Oppflow keeps of an effect: the state before, in order to undo the
// effect, and what was found or made. It names no person.
type Trace struct {
	// Account was the account of the record before, "" when it had none; HadAccount
	// says that the account was read.
	Account    ID   `json:"account,omitempty"`
	HadAccount bool `json:"hadAccount,omitempty"`
	// Values are the attributes as they were before, by their keys.
	Values map[string]string `json:"values,omitempty"`
	// Until is the time until which places were held before; zero when none were.
	Until time.Time `json:"until,omitzero"`
	// PurchaseOrder and Comments were in the draft before.
	PurchaseOrder string `json:"purchaseOrder,omitempty"`
	Comments      string `json:"comments,omitempty"`
	// Records are the records that were found or made, each once, in the order of
	// first appearance.
	Records []Record `json:"records,omitempty"`
}

// Adding returns the trace with the record. A record that the trace already holds is
// not added twice. A learner without an id is about to be made.
func (t Trace) Adding(r Record) Trace {
	if r.ID == "" && r.Contact == "" {
		return t
	}
	records := slices.Clone(t.Records)
	at := slices.IndexFunc(records, func(o Record) bool {
		return o.Kind == r.Kind && (o.ID == r.ID && r.ID != "" || o.ID == "" && o.Contact == r.Contact && o.On == r.On)
	})
	switch {
	case at < 0:
		records = append(records, r)
	case records[at].ID == "":
		records[at].ID = r.ID
	}
	t.Records = records
	return t
}

// Record is a record of the TMS that an effect found or made.
type Record struct {
	ID ID `json:"id"`
	// Kind is account, contact, learner or invoice.
	Kind RecordKind `json:"kind"`
	// Made says that the effect made the record. Otherwise the record was there
	// already, made by the TMS itself or by somebody else.
	Made bool `json:"made,omitempty"`
	// On is the event of a learner, Contact the learner's contact.
	On      ID `json:"on,omitempty"`
	Contact ID `json:"contact,omitempty"`
	// Gone says that the record was taken back.
	Gone bool `json:"gone,omitempty"`
}

// RecordKind is the kind of a Record.
type RecordKind string

// The kinds of records.
const (
	RecordAccount RecordKind = "account"
	RecordContact RecordKind = "contact"
	RecordLearner RecordKind = "learner"
	RecordInvoice RecordKind = "invoice"
)

// Attendee is a person to be trained on an event. Attendees are kept as long as a
// playbook may still want to register them, since the API does not show the learners
// of an interest.
type Attendee struct {
	// Interest is the interest that names the person, Event its item.
	Interest ID `json:"interest"`
	Event    ID `json:"event"`
	// Person is the person by name, until the contact is known.
	Person *Learner `json:"person,omitempty"`
	// Contact is the person's contact in the TMS, "" until it is known.
	Contact ID `json:"contact,omitempty"`
}
