package opportunity

import (
	"encoding/json"
	"reflect"
	"time"
)

// Plan is what a tenant's playbook says is to be done about one opportunity:
// the side effects of a move or of a happening, or the follow-ups that are still
// to come. It is plain data, so that workflow code can carry it out without
// knowing the playbook. It names no person; what is written to people is named
// by its template.
type Plan struct {
	// Digest tells the playbook the plan was made from.
	Digest string `json:"digest"`
	// Version is the number of that version of the namespace's playbook; 0 where the
	// namespace has none.
	Version int `json:"version,omitempty"`
	// Before are the effects before the move, in order. They can be undone.
	Before []Effect `json:"before,omitempty"`
	// After are the effects after the move, or of the happening, in order.
	After []Effect `json:"after,omitempty"`
	// FollowUps are still to be done, in the order in which they are due.
	FollowUps []FollowUp `json:"followUps,omitempty"`
	// LeftOut are follow-ups that will not be done, and why.
	LeftOut []LeftOut `json:"leftOut,omitempty"`
	// Problems say in one line each what could not be decided about this record.
	Problems []string `json:"problems,omitempty"`
}

// IsEmpty reports whether there is nothing to do and nothing to tell.
func (p Plan) IsEmpty() bool {
	return len(p.Before)+len(p.After)+len(p.FollowUps)+len(p.LeftOut)+len(p.Problems) == 0
}

// EffectKind names what an effect does.
type EffectKind string

// The kinds of effects. Each ensures something: it looks first, and does what is
// missing.
const (
	// EffectAccount: the opportunity has an account.
	EffectAccount EffectKind = "account"
	// EffectContacts: the learners of the interests are contacts.
	EffectContacts EffectKind = "contacts"
	// EffectAttributes: attributes of the record have the given values.
	EffectAttributes EffectKind = "attributes"
	// EffectReserve: places are held for the interests in events, until a time.
	EffectReserve EffectKind = "reserve"
	// EffectExtend: the places that are held are held until another time.
	EffectExtend EffectKind = "extend"
	// EffectRelease: no places are held any more, for good.
	EffectRelease EffectKind = "release"
	// EffectRegister: the learners are registered on their events.
	EffectRegister EffectKind = "register"
	// EffectCancelRegistrations: the learners of the opportunity are cancelled.
	EffectCancelRegistrations EffectKind = "cancelRegistrations"
	// EffectInvoice: the draft the TMS makes is there, filled in, and final in time.
	EffectInvoice EffectKind = "invoice"
	// EffectTokens: the training tokens were issued.
	EffectTokens EffectKind = "tokens"
	// EffectEmail: a mail was sent.
	EffectEmail EffectKind = "email"
	// EffectLog: an entry stands in the external integration log of the record.
	EffectLog EffectKind = "log"
	// EffectCall: a service of the tenant was called.
	EffectCall EffectKind = "call"
)

// Undo says how far an effect can be taken back.
type Undo string

// The three ways.
const (
	// UndoExact: nothing of it is left.
	UndoExact Undo = "exact"
	// UndoTrace: it counts no more, and what is left of it can be seen.
	UndoTrace Undo = "trace"
	// UndoNone: it cannot be taken back.
	UndoNone Undo = "none"
)

// Effect is one thing to ensure. The member of its kind holds its settings; kinds
// without settings have none.
type Effect struct {
	// Key tells the effect from all others of the same playbook.
	Key        string            `json:"key"`
	Kind       EffectKind        `json:"kind"`
	Undo       Undo              `json:"undo"`
	Account    *EnsureAccount    `json:"account,omitempty"`
	Contacts   *EnsureContacts   `json:"contacts,omitempty"`
	Attributes *EnsureAttributes `json:"attributes,omitempty"`
	Reserve    *HoldPlaces       `json:"reserve,omitempty"`
	Extend     *HoldPlaces       `json:"extend,omitempty"`
	Register   *Register         `json:"register,omitempty"`
	Invoice    *EnsureInvoice    `json:"invoice,omitempty"`
	Tokens     *AwaitTokens      `json:"tokens,omitempty"`
	Email      *SendEmail        `json:"email,omitempty"`
	Log        *WriteLog         `json:"log,omitempty"`
	Call       *CallService      `json:"call,omitempty"`
	// Later are members that a later version knows. They are kept for its workers.
	Later Later `json:"-"`
}

// MarshalJSON implements [json.Marshaler].
func (e Effect) MarshalJSON() ([]byte, error) {
	type plain Effect
	return e.Later.join(plain(e))
}

// UnmarshalJSON implements [json.Unmarshaler].
func (e *Effect) UnmarshalJSON(data []byte) error {
	type plain Effect
	if err := json.Unmarshal(data, (*plain)(e)); err != nil {
		return err
	}
	return e.Later.take(data, reflect.TypeFor[Effect]())
}

// EnsureAccount gives the opportunity an account where it has none: the one of
// the name, or a new one.
type EnsureAccount struct {
	// Name is what the account is called, and looked up by.
	Name string `json:"name"`
}

// EnsureContacts makes the contacts that are missing, looked up by e-mail address.
type EnsureContacts struct {
	// Several says what to do where more than one contact has the address.
	Several Several `json:"several"`
}

// Several says what to do where a look-up finds more than one.
type Several string

// The two ways.
const (
	// SeveralAsk leaves the choice to an operator.
	SeveralAsk Several = "ask"
	// SeveralOldest takes the one that was made first.
	SeveralOldest Several = "oldest"
)

// EnsureAttributes sets attributes of the record, by their keys.
type EnsureAttributes struct {
	Values map[string]string `json:"values"`
}

// HoldPlaces holds places until a time, in UTC.
type HoldPlaces struct {
	Until time.Time `json:"until"`
}

// Register registers the learners on the events of the interests.
type Register struct {
	// Release gives the places that were held back once all are registered, since
	// they would count twice.
	Release bool `json:"release"`
}

// EnsureInvoice waits for the draft of the TMS, fills it in, and makes it final.
type EnsureInvoice struct {
	// WaitUntil is how long the draft may take to be there, in UTC.
	WaitUntil time.Time `json:"waitUntil"`
	// PurchaseOrder and Comments are written to the draft; "" leaves what is there.
	PurchaseOrder string `json:"purchaseOrder,omitempty"`
	Comments      string `json:"comments,omitempty"`
	// FinaliseAt is when it is made final, in UTC; zero leaves it a draft.
	FinaliseAt time.Time `json:"finaliseAt,omitzero"`
}

// AwaitTokens checks that the tokens of the interests were issued.
type AwaitTokens struct {
	// WaitUntil is how long that may take, in UTC.
	WaitUntil time.Time `json:"waitUntil"`
}

// Recipient is whom a mail goes to.
type Recipient string

// The two recipients.
const (
	ToOwner   Recipient = "owner"   // the user who owns the record
	ToContact Recipient = "contact" // the contact of the record
)

// SendEmail sends a mail that is written from a template of the playbook.
type SendEmail struct {
	To       Recipient `json:"to"`
	Template string    `json:"template"`
}

// LogStatus is the status of an entry of the external integration log.
type LogStatus string

// The three states, as the API writes them.
const (
	LogSuccess LogStatus = "success"
	LogFailed  LogStatus = "failed"
	LogPartial LogStatus = "partial"
)

// WriteLog writes an entry of the external integration log of the record.
type WriteLog struct {
	Status  LogStatus `json:"status"`
	Message string    `json:"message"`
}

// CallService sends a signed request to a service of the tenant.
type CallService struct {
	// Service is its name in the playbook.
	Service string `json:"service"`
	// Path is what follows the address of the service.
	Path string `json:"path"`
	// UndoPath is called to take the call back; "" when nothing does.
	UndoPath string `json:"undoPath,omitempty"`
}

// Occasion is what a plan is asked for: a move, or something that happened. Its zero
// value asks for the follow-ups of the step the opportunity stands in.
type Occasion struct {
	Kind OccasionKind `json:"kind,omitempty"`
	// To is the step of a move.
	To Step `json:"to,omitzero"`
	// Item is the id of the event of the TMS that something happened to.
	Item ID `json:"item,omitempty"`
}

// OccasionKind names what happened.
type OccasionKind string

// The kinds of occasions.
const (
	// OccasionMove: the opportunity is asked to move to another step.
	OccasionMove OccasionKind = "move"
	// OccasionEventCancelled: an event of one of the interests was cancelled.
	OccasionEventCancelled OccasionKind = "eventCancelled"
	// OccasionSoldOut: an event of one of the interests has sold out, and the opportunity
	// holds no places.
	OccasionSoldOut OccasionKind = "eventSoldOut"
	// OccasionLapsed: the places that were held have lapsed.
	OccasionLapsed OccasionKind = "reservationLapsed"
)

// FollowUp is something to be done once, at a time.
type FollowUp struct {
	// Key stays the same however often the plan is made: what was done under a key
	// is not done again.
	Key string `json:"key"`
	// Name is that of the follow-up in the playbook.
	Name string `json:"name"`
	// Due is when, in UTC: never earlier than the moment the plan is made for, which
	// is when what was due before is to be done.
	Due time.Time `json:"due"`
	// Number counts the repetitions from 1 to Of; the last may be what ends them.
	Number int    `json:"number"`
	Of     int    `json:"of"`
	Action Action `json:"action"`
}

// ActionKind names what a follow-up does.
type ActionKind string

// The kinds of actions.
const (
	ActionEmail     ActionKind = "email"
	ActionLog       ActionKind = "log"
	ActionCall      ActionKind = "call"
	ActionProgress  ActionKind = "progress"  // a move to another step
	ActionAttention ActionKind = "attention" // a word for an operator
)

// Action is what a follow-up does. The member of its kind holds its settings.
type Action struct {
	Kind     ActionKind   `json:"kind"`
	Email    *SendEmail   `json:"email,omitempty"`
	Log      *WriteLog    `json:"log,omitempty"`
	Call     *CallService `json:"call,omitempty"`
	Progress *Progress    `json:"progress,omitempty"`
	// Attention is what an operator is told.
	Attention string `json:"attention,omitempty"`
	// Later are members that a later version knows. They are kept for its workers.
	Later Later `json:"-"`
}

// MarshalJSON implements [json.Marshaler].
func (a Action) MarshalJSON() ([]byte, error) {
	type plain Action
	return a.Later.join(plain(a))
}

// UnmarshalJSON implements [json.Unmarshaler].
func (a *Action) UnmarshalJSON(data []byte) error {
	type plain Action
	if err := json.Unmarshal(data, (*plain)(a)); err != nil {
		return err
	}
	return a.Later.take(data, reflect.TypeFor[Action]())
}

// LeftOut is a follow-up that will not be done.
type LeftOut struct {
	Key string `json:"key"`
	// Reason is cap or late.
	Reason LeftOutReason `json:"reason"`
}

// LeftOutReason is why a follow-up will not be done.
type LeftOutReason string

// The reasons.
const (
	// LeftOutByCap: the opportunity has had as many follow-ups as it may have.
	LeftOutByCap LeftOutReason = "cap"
	// LeftOutLate: what it was to come before has come by the time it may be done.
	LeftOutLate LeftOutReason = "late"
)

// DoneFollowUp is a follow-up that was done, or will never be.
type DoneFollowUp struct {
	Key string    `json:"key"`
	At  time.Time `json:"at"`
	// Cancelled says that an operator cancelled it. It counts as done, but not as one
	// of those that the opportunity had.
	Cancelled bool `json:"cancelled,omitempty"`
}
