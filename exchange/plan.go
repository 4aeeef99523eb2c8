package exchange

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Plan is what a tenant's playbook says to do about one opportunity. A plan contains either the
// effects of a transition or of an external change, or the follow-ups that are still to do. A plan
// is plain data, so that workflow code can carry out the plan without the playbook. A plan names no
// person. For texts to people, the plan contains only the names of the templates.
type Plan struct {
	// Digest identifies the playbook that made the plan.
	Digest string `json:"digest"`
	// Version is the version number of the namespace's playbook, or 0 when the namespace has no
	// playbook.
	Version int `json:"version,omitempty"`
	// Before contains the effects before the transition, in order. The effects before a transition
	// can all be undone.
	Before []Effect `json:"before,omitempty"`
	// After contains the effects that follow the transition or the external change, in order.
	After []Effect `json:"after,omitempty"`
	// FollowUps are the follow-ups that are still to do, in the order of their due times.
	FollowUps []FollowUp `json:"followUps,omitempty"`
	// SkippedFollowUps are follow-ups that Oppflow will not do, with the reasons.
	SkippedFollowUps []opportunity.SkippedFollowUp `json:"leftOut,omitempty"`
	// Problems contains one line for each thing that the playbook could not decide about this
	// record.
	Problems []string `json:"problems,omitempty"`
}

// IsEmpty reports whether the plan contains no effects, follow-ups, skipped follow-ups or problems.
func (p Plan) IsEmpty() bool {
	return len(p.Before)+len(p.After)+len(p.FollowUps)+len(p.SkippedFollowUps)+len(p.Problems) == 0
}

// UndoLevel says how much of an effect can be undone.
type UndoLevel string

// The three levels.
const (
	// UndoExact: nothing of the effect stays.
	UndoExact UndoLevel = "exact"
	// UndoPartial: after the undo, the effect no longer counts, but something of the effect stays
	// visible.
	UndoPartial UndoLevel = "partial"
	// UndoNone: the effect cannot be undone.
	UndoNone UndoLevel = "none"
)

// UnmarshalText also accepts trace, the word of earlier versions for UndoPartial.
func (u *UndoLevel) UnmarshalText(text []byte) error {
	if *u = UndoLevel(text); *u == "trace" {
		*u = UndoPartial
	}
	return nil
}

// Effect is one state that Oppflow ensures.
type Effect struct {
	// Key distinguishes the effect from all other effects of the same playbook.
	Key  string                 `json:"key"`
	Kind opportunity.EffectKind `json:"kind"`
	Undo UndoLevel              `json:"undo"`
	// Settings are the settings of the effect's kind, or nil for a kind without settings. In the
	// JSON of the effect, the settings are in the member that has the name of the kind.
	Settings Settings `json:"-"`
	// UnknownMembers are JSON members that this version does not know, and that a later version
	// wrote. Oppflow keeps UnknownMembers for workers of the later version.
	UnknownMembers UnknownMembers `json:"-"`
}

// MarshalJSON implements [json.Marshaler].
func (e Effect) MarshalJSON() ([]byte, error) {
	type plain Effect
	return e.UnknownMembers.merge(plain(e), string(e.Kind), e.Settings)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (e *Effect) UnmarshalJSON(data []byte) error {
	type plain Effect
	if err := json.Unmarshal(data, (*plain)(e)); err != nil {
		return err
	}
	var err error
	e.Settings, err = e.UnknownMembers.collect(data, reflect.TypeFor[Effect](), string(e.Kind))
	return err
}

// Settings are the settings of an effect or an action, as one JSON value. The playbook and the
// activities know the type of the settings.
type Settings json.RawMessage

// NewSettings returns the value as JSON settings, or nil when the value cannot be encoded.
func NewSettings(value any) Settings {
	data, err := json.Marshal(value)
	if err != nil {
		return nil
	}
	return data
}

// SettingsOf returns the settings decoded as an S. SettingsOf returns nil when there are no
// settings, or when the settings cannot be decoded.
func SettingsOf[S any](settings Settings) *S {
	s := new(S)
	if len(settings) == 0 || json.Unmarshal(settings, s) != nil {
		return nil
	}
	return s
}

// EnsureAccount sets the account of the opportunity when the opportunity has none. EnsureAccount
// sets the existing account with the name, or creates a new account.
type EnsureAccount struct {
	// Name is the name that Oppflow searches for, and the name of a new account.
	Name string `json:"name"`
}

// EnsureContacts searches for contacts by e-mail address, and creates the missing contacts.
type EnsureContacts struct {
	// OnMultipleMatches says what to do when more than one contact has the e-mail address.
	OnMultipleMatches MatchPolicy `json:"several"`
	// People says how Oppflow compares people with contacts; "" in plans of earlier versions.
	People PeoplePolicy `json:"people,omitempty"`
}

// PeoplePolicy says what to do when a person's e-mail address belongs to a contact with a different
// name. The zero value occurs in plans of earlier versions, and means that only e-mail addresses
// are compared, not names.
type PeoplePolicy string

// The three policies.
const (
	// PeopleAsk: an operator decides.
	PeopleAsk PeoplePolicy = "ask"
	// PeopleByAddress: an e-mail address belongs to only one person, who may have several names.
	PeopleByAddress PeoplePolicy = "address"
	// PeopleApart: people with different names are different people, even if they share an e-mail
	// address.
	PeopleApart PeoplePolicy = "apart"
)

// MatchPolicy says what to do when a search finds more than one object.
type MatchPolicy string

// The two policies.
const (
	// MatchAskOperator: an operator chooses the object.
	MatchAskOperator MatchPolicy = "ask"
	// MatchOldest takes the oldest object.
	MatchOldest MatchPolicy = "oldest"
)

// EnsureAttributes sets attributes of the record to the given values, by the attributes' keys.
type EnsureAttributes struct {
	Values map[string]string `json:"values"`
}

// EnsureReservation reserves places until the given time, which is in UTC.
type EnsureReservation struct {
	Until time.Time `json:"until"`
}

// RegisterLearners registers the learners on the events of the interests.
type RegisterLearners struct {
	// ReleaseReservation says that the reservation is released after all learners are registered.
	// Without this release, the places of the learners would count twice: as reserved and as
	// registered.
	ReleaseReservation bool `json:"release"`
	// People says how Oppflow compares people with contacts; "" in plans of earlier versions.
	People PeoplePolicy `json:"people,omitempty"`
}

// CancelRegistrations cancels the registrations of the learners.
type CancelRegistrations struct {
	// People says how Oppflow compares people with contacts; "" in plans of earlier versions.
	People PeoplePolicy `json:"people,omitempty"`
}

// EnsureInvoice waits until the TMS has created the draft invoice, writes the texts to the draft,
// and makes the invoice final.
type EnsureInvoice struct {
	// WaitUntil is the time until which the effect waits for the draft invoice, in UTC.
	WaitUntil time.Time `json:"waitUntil"`
	// PurchaseOrder and Comments are the texts to write to the draft invoice; an empty text does
	// not change the text of the draft.
	PurchaseOrder string `json:"purchaseOrder,omitempty"`
	Comments      string `json:"comments,omitempty"`
	// FinaliseAt is the time at which the invoice is made final, in UTC. If FinaliseAt is zero, the
	// invoice stays a draft.
	FinaliseAt time.Time `json:"finaliseAt,omitzero"`
}

// AwaitTokens waits until the TMS has issued the training tokens of the interests.
type AwaitTokens struct {
	// WaitUntil is the time until which the effect waits for the training tokens, in UTC.
	WaitUntil time.Time `json:"waitUntil"`
}

// Recipient says who receives a mail: the owner, the contact or the learners.
type Recipient string

// The three recipients.
const (
	ToOwner    Recipient = "owner"    // the user who owns the record
	ToContact  Recipient = "contact"  // the contact of the record
	ToLearners Recipient = "learners" // the attendees; each of them gets a mail
)

// SendEmail sends a mail whose text comes from a template of the playbook.
type SendEmail struct {
	To       Recipient `json:"to"`
	Template string    `json:"template"`
	// Number is the position of this mail among the mails of a follow-up, and Of is the number of
	// these mails. Number and Of are 0 for a single mail, and in plans of earlier workers, which
	// did not count the mails.
	Number int `json:"number,omitempty"`
	Of     int `json:"of,omitempty"`
}

// LogStatus is the status of an entry of the external integration log.
type LogStatus string

// These constants are the three values of LogStatus, in the spelling of the API.
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
	Service string `json:"service"`
	// Path is the part of the URL after the address of the service.
	Path string `json:"path"`
	// UndoPath is the path that Oppflow calls to undo the call; "" when the call cannot be undone.
	UndoPath string `json:"undoPath,omitempty"`
}

// PlanCause is the cause of a plan: a transition or an external change. The zero value means that
// the follow-ups for the opportunity's step are planned.
type PlanCause struct {
	Kind PlanCauseKind `json:"kind,omitempty"`
	// From is the step before a transition by hand; zero for a transition that a command requests.
	From opportunity.Step `json:"from,omitzero"`
	To   opportunity.Step `json:"to,omitzero"`
	// Item is the id of the event that was cancelled or sold out.
	Item opportunity.ID `json:"item,omitempty"`
}

// PlanCauseKind is the kind of a PlanCause.
type PlanCauseKind string

// The kinds of causes.
const (
	// CauseTransition: a progress command requests a transition, or a person made a transition by
	// hand.
	CauseTransition PlanCauseKind = "move"
	// CauseEventCancelled: an event in which the opportunity has an interest was cancelled.
	CauseEventCancelled PlanCauseKind = "eventCancelled"
	// CauseEventSoldOut: an event in which the opportunity has an interest has sold out, and the
	// opportunity has no reserved places.
	CauseEventSoldOut PlanCauseKind = "eventSoldOut"
	// CauseReservationExpired: the reservation has expired.
	CauseReservationExpired PlanCauseKind = "reservationExpired"
)

// UnmarshalText also accepts reservationLapsed, the word of earlier versions for an expired
// reservation.
func (k *PlanCauseKind) UnmarshalText(text []byte) error {
	if *k = PlanCauseKind(text); *k == "reservationLapsed" {
		*k = CauseReservationExpired
	}
	return nil
}

// FollowUp is an action that Oppflow does once, at its due time.
type FollowUp struct {
	// Key identifies the follow-up in every plan of the opportunity. A follow-up that was done is
	// never done again under the same key.
	Key  string `json:"key"`
	Name string `json:"name"`
	// Due is the time at which the action is due, in UTC. Due is never earlier than the time of the
	// plan.
	Due time.Time `json:"due"`
	// Number is the number of the repetition, from 1 to Of. The last repetition may be the action
	// that ends the series.
	Number int    `json:"number"`
	Of     int    `json:"of"`
	Action Action `json:"action"`
}

// Action is what a follow-up does.
type Action struct {
	Kind      opportunity.ActionKind `json:"kind"`
	Progress  *opportunity.Progress  `json:"progress,omitempty"`
	Attention string                 `json:"attention,omitempty"`
	// Settings are the settings of the effect that has the same kind as the action. In the JSON of
	// the action, the settings are in the member that has the name of the kind.
	Settings Settings `json:"-"`
	// UnknownMembers are JSON members that this version does not know, and that a later version
	// wrote. Oppflow keeps UnknownMembers for workers of the later version.
	UnknownMembers UnknownMembers `json:"-"`
}

// MarshalJSON implements [json.Marshaler].
func (a Action) MarshalJSON() ([]byte, error) {
	type plain Action
	return a.UnknownMembers.merge(plain(a), string(a.Kind), a.Settings)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (a *Action) UnmarshalJSON(data []byte) error {
	type plain Action
	if err := json.Unmarshal(data, (*plain)(a)); err != nil {
		return err
	}
	var err error
	a.Settings, err = a.UnknownMembers.collect(data, reflect.TypeFor[Action](), string(a.Kind))
	return err
}

// DoneFollowUp is a follow-up that was done or cancelled.
type DoneFollowUp struct {
	Key string    `json:"key"`
	At  time.Time `json:"at"`
	// Cancelled says that an operator cancelled the follow-up. A cancelled follow-up does not count
	// towards the playbook's maximum number of follow-ups.
	Cancelled bool `json:"cancelled,omitempty"`
	// NotDone says that the follow-up was started but the effect of the follow-up was not done: an
	// operator skipped the effect, or too many effects waited.
	NotDone bool `json:"notDone,omitempty"`
}

// Series returns the part of the key that a follow-up and its repetitions have in common.
func (f FollowUp) Series() string {
	return f.Key[:strings.LastIndexByte(f.Key, '/')+1] + f.Name
}
