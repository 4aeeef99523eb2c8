package exchange

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Plan is what a tenant's playbook says to do about one opportunity. A plan contains the effects
// of a transition or of an external change, or the follow-ups that are still to do. A plan is
// plain data, so that workflow code can carry it out without the playbook. A plan names no
// person, and refers to texts for people by the names of their templates.
type Plan struct {
	// Digest identifies the playbook that made the plan.
	Digest string `json:"digest"`
	// Version is the version number of the namespace's playbook; 0 when the namespace has none.
	Version int `json:"version,omitempty"`
	// Before are the effects before the transition, in order; these effects can be undone.
	Before []Effect `json:"before,omitempty"`
	// After are the effects after the transition, or of the external change, in order.
	After []Effect `json:"after,omitempty"`
	// FollowUps are the follow-ups still to do, in the order of their due times.
	FollowUps []FollowUp `json:"followUps,omitempty"`
	// SkippedFollowUps are follow-ups that will not be done, and why.
	SkippedFollowUps []opportunity.SkippedFollowUp `json:"leftOut,omitempty"`
	// Problems say in one line each what the playbook could not decide about this record.
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
	// UndoPartial: the effect no longer counts, but something of the effect stays visible.
	UndoPartial UndoLevel = "partial"
	// UndoNone: the effect cannot be undone.
	UndoNone UndoLevel = "none"
)

// UnmarshalText also reads the word of earlier versions: trace.
func (u *UndoLevel) UnmarshalText(text []byte) error {
	if *u = UndoLevel(text); *u == "trace" {
		*u = UndoPartial
	}
	return nil
}

// Effect is one state to ensure.
type Effect struct {
	// Key distinguishes the effect from all others of the same playbook.
	Key  string                 `json:"key"`
	Kind opportunity.EffectKind `json:"kind"`
	Undo UndoLevel              `json:"undo"`
	// Settings are the settings of the kind; nil for a kind without settings. In the JSON of the
	// effect, the settings are the member with the name of the kind.
	Settings Settings `json:"-"`
	// UnknownMembers are JSON members that only a later version knows. Oppflow keeps
	// UnknownMembers for workers of that version.
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
// activities know the type of the settings; the workflow passes the settings on unchanged.
type Settings json.RawMessage

// NewSettings returns the settings as JSON; nil for a value that has no JSON.
func NewSettings(value any) Settings {
	data, err := json.Marshal(value)
	if err != nil {
		return nil
	}
	return data
}

// SettingsOf returns the settings as an S, or nil when there are no settings or the settings cannot
// be decoded as an S.
func SettingsOf[S any](settings Settings) *S {
	s := new(S)
	if len(settings) == 0 || json.Unmarshal(settings, s) != nil {
		return nil
	}
	return s
}

// EnsureAccount gives the opportunity an account when it has none: the existing account with the
// name, or a new account.
type EnsureAccount struct {
	// Name is the name of the account to look up, and of a new account.
	Name string `json:"name"`
}

// EnsureContacts creates the missing contacts, and looks contacts up by e-mail address.
type EnsureContacts struct {
	// OnMultipleMatches says what to do when more than one contact has the address.
	OnMultipleMatches MatchPolicy `json:"several"`
	// People says how people are compared with contacts; "" in plans of earlier versions.
	People PeoplePolicy `json:"people,omitempty"`
}

// PeoplePolicy says what to do with a person whose e-mail address belongs to a contact of another
// name. The zero value is that of plans of earlier versions: only addresses are compared.
type PeoplePolicy string

// The three policies.
const (
	// PeopleAsk leaves the decision to an operator.
	PeopleAsk PeoplePolicy = "ask"
	// PeopleByAddress: an e-mail address belongs to one person, who may have several names.
	PeopleByAddress PeoplePolicy = "address"
	// PeopleApart: people of different names are different people, who may share an address.
	PeopleApart PeoplePolicy = "apart"
)

// MatchPolicy says what to do when a look-up finds more than one object.
type MatchPolicy string

// The two policies.
const (
	// MatchAskOperator leaves the choice to an operator.
	MatchAskOperator MatchPolicy = "ask"
	// MatchOldest takes the oldest object.
	MatchOldest MatchPolicy = "oldest"
)

// EnsureAttributes sets attributes of the record, by their keys.
type EnsureAttributes struct {
	Values map[string]string `json:"values"`
}

// EnsureReservation reserves places until a time, in UTC.
type EnsureReservation struct {
	Until time.Time `json:"until"`
}

// RegisterLearners registers the learners on the events of the interests.
type RegisterLearners struct {
	// ReleaseReservation releases the reservation once all learners are registered, so that no
	// place counts as reserved and as registered.
	ReleaseReservation bool `json:"release"`
	// People says how people are compared with contacts; "" in plans of earlier versions.
	People PeoplePolicy `json:"people,omitempty"`
}

// CancelRegistrations cancels the registrations of the learners.
type CancelRegistrations struct {
	// People says how people are compared with contacts; "" in plans of earlier versions.
	People PeoplePolicy `json:"people,omitempty"`
}

// EnsureInvoice waits for the draft invoice of the TMS, fills the draft in, and makes the invoice
// final.
type EnsureInvoice struct {
	// WaitUntil is the latest time at which the draft may appear, in UTC.
	WaitUntil time.Time `json:"waitUntil"`
	// PurchaseOrder and Comments are written to the draft; "" keeps the draft's text.
	PurchaseOrder string `json:"purchaseOrder,omitempty"`
	Comments      string `json:"comments,omitempty"`
	// FinaliseAt is when the invoice is made final, in UTC; zero leaves the invoice a draft.
	FinaliseAt time.Time `json:"finaliseAt,omitzero"`
}

// AwaitTokens checks that the tokens of the interests were issued.
type AwaitTokens struct {
	// WaitUntil is the latest time at which the tokens may be issued, in UTC.
	WaitUntil time.Time `json:"waitUntil"`
}

// Recipient is the recipient of a mail.
type Recipient string

// The three recipients.
const (
	ToOwner    Recipient = "owner"    // the user who owns the record
	ToContact  Recipient = "contact"  // the contact of the record
	ToLearners Recipient = "learners" // the attendees; each of them gets a mail
)

// SendEmail sends a mail, written from a template of the playbook.
type SendEmail struct {
	To       Recipient `json:"to"`
	Template string    `json:"template"`
	// Number and Of say which of how many mails of a follow-up this is. Both are 0 for a mail that
	// is not repeated, and in plans of workers that did not count the mails.
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
	// Service is the name of the service in the playbook.
	Service string `json:"service"`
	// Path is the path after the address of the service.
	Path string `json:"path"`
	// UndoPath is called to undo the call; "" when the call has no undo.
	UndoPath string `json:"undoPath,omitempty"`
}

// PlanCause is the cause of a plan: a transition or an external change. The zero value requests
// the follow-ups of the opportunity's step.
type PlanCause struct {
	Kind PlanCauseKind `json:"kind,omitempty"`
	// To is the step to which a transition leads.
	To opportunity.Step `json:"to,omitzero"`
	// Item is the id of the event that was cancelled or has sold out.
	Item opportunity.ID `json:"item,omitempty"`
}

// PlanCauseKind is the kind of a PlanCause.
type PlanCauseKind string

// The kinds of causes.
const (
	// CauseTransition: a command requests a transition to another step.
	CauseTransition PlanCauseKind = "move"
	// CauseEventCancelled: an event of one of the interests was cancelled.
	CauseEventCancelled PlanCauseKind = "eventCancelled"
	// CauseEventSoldOut: an event of one of the interests has sold out, and the opportunity has
	// no reserved places.
	CauseEventSoldOut PlanCauseKind = "eventSoldOut"
	// CauseReservationExpired: the reservation has expired.
	CauseReservationExpired PlanCauseKind = "reservationExpired"
)

// UnmarshalText also reads the word of earlier versions: reservationLapsed.
func (k *PlanCauseKind) UnmarshalText(text []byte) error {
	if *k = PlanCauseKind(text); *k == "reservationLapsed" {
		*k = CauseReservationExpired
	}
	return nil
}

// FollowUp is an action to do once, at a time.
type FollowUp struct {
	// Key stays the same in every plan: a follow-up that was done under a key is not done
	// again.
	Key string `json:"key"`
	// Name is the name of the follow-up in the playbook.
	Name string `json:"name"`
	// Due is the time of the action, in UTC. Due is never earlier than the time of the plan: a
	// follow-up that was due before is due at the time of the plan.
	Due time.Time `json:"due"`
	// Number counts the repetitions from 1 to Of; the last one may be the action that ends the
	// series.
	Number int    `json:"number"`
	Of     int    `json:"of"`
	Action Action `json:"action"`
}

// Action is what a follow-up does.
type Action struct {
	Kind     opportunity.ActionKind `json:"kind"`
	Progress *opportunity.Progress  `json:"progress,omitempty"`
	// Attention is the text that the action shows to an operator.
	Attention string `json:"attention,omitempty"`
	// Settings are the settings of an effect of the same kind. In the JSON of the action, the
	// settings are the member with the name of the kind.
	Settings Settings `json:"-"`
	// UnknownMembers are JSON members that only a later version knows. Oppflow keeps
	// UnknownMembers for workers of that version.
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

// DoneFollowUp is a follow-up that was done, or that will never be done.
type DoneFollowUp struct {
	Key string    `json:"key"`
	At  time.Time `json:"at"`
	// Cancelled says that an operator cancelled the follow-up. A cancelled follow-up counts as
	// done, but not towards the highest number of follow-ups.
	Cancelled bool `json:"cancelled,omitempty"`
	// NotDone says that the follow-up was started, and that its effect was not done: an operator
	// skipped the effect, or too many effects waited.
	NotDone bool `json:"notDone,omitempty"`
}

// Series returns the common part of the keys of a follow-up and its repetitions.
func (f FollowUp) Series() string {
	return f.Key[:strings.LastIndexByte(f.Key, '/')+1] + f.Name
}
