package activities

import (
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// PlaybookFeatures says which kinds of rules the worker's playbook has, and its version.
type PlaybookFeatures = exchange.PlaybookFeatures

// PlanInput is a request for the plan of the worker's playbook for an opportunity.
type PlanInput struct {
	Reference   opportunity.Reference `json:"reference"`
	Opportunity opportunity.ID        `json:"opportunity"`
	// PlanFor is the cause of the plan. For a transition, PlanFor.To may be empty if TargetStep
	// holds the step as a caller wrote it.
	PlanFor exchange.PlanCause `json:"occasion,omitzero"`
	// TargetStep is the name or the id of the target step of a transition.
	TargetStep string `json:"step,omitempty"`
	// Entered is when the opportunity entered its step. LastActivity is the time of the
	// opportunity's last activity other than a follow-up.
	Entered      time.Time `json:"entered,omitzero"`
	LastActivity time.Time `json:"lastActivity,omitzero"`
	// AdoptedAt is when the record was adopted. AdoptedAt is zero unless follow-ups count from the
	// time of the record's last change.
	AdoptedAt time.Time `json:"adopted,omitzero"`
	// Region is the region that the workflow knows. The API's response for the record does not
	// contain the region.
	Region opportunity.Ref `json:"region,omitzero"`
	// KnownInterests are the interests as the workflow added them. The API does not return all data
	// of an interest.
	KnownInterests []opportunity.RecordedInterest `json:"known,omitempty"`
	// DoneFollowUps are the finished follow-ups.
	DoneFollowUps []exchange.DoneFollowUp `json:"done,omitempty"`
	// MinPlaybookVersion is the highest version of the playbook that the workflow has seen. The
	// workflow discards a plan of a lower version.
	MinPlaybookVersion int `json:"version,omitempty"`
	// Now is the workflow's current time, for which the plan is made.
	Now time.Time `json:"now"`
}

// PlanResult is the plan, and the record that the plan was made from.
type PlanResult struct {
	PlaybookFeatures PlaybookFeatures  `json:"rules"`
	Record           exchange.Snapshot `json:"record"`
	Plan             exchange.Plan     `json:"plan"`
	// TargetStep is the target step of a transition.
	TargetStep opportunity.Step `json:"to,omitzero"`
	// Events are the events of the interests, with their possible changes.
	Events []EventChange `json:"events,omitempty"`
	// TaggedByOther says that the record has the tag of another reference.
	TaggedByOther bool `json:"foreign,omitempty"`
	// RunID is the id by which the server knows the run.
	RunID string `json:"run,omitempty"`
}

// EventChange is a possible change of an event.
type EventChange struct {
	Event     opportunity.ID `json:"event"`
	Cancelled bool           `json:"cancelled,omitempty"`
	SoldOut   bool           `json:"soldOut,omitempty"`
	// FreePlaces is the number of places that are neither booked nor reserved. It is negative for an
	// overbooked event, and nil if the API does not return it.
	FreePlaces *int `json:"freePlaces,omitempty"`
}

// EffectInput is the input of InspectEffect and ExecuteEffect for one effect.
type EffectInput struct {
	Reference   opportunity.Reference `json:"reference"`
	Opportunity opportunity.ID        `json:"opportunity"`
	Effect      exchange.Effect       `json:"effect"`
	// Undo says to undo the effect with the data in UndoEntry.
	Undo bool `json:"undo,omitempty"`
	// UndoEntry is the current undo entry of the effect.
	UndoEntry exchange.UndoEntry `json:"trace,omitzero"`
	// Attendees are the attendees of the opportunity, for effects about learners.
	Attendees []exchange.Attendee `json:"attendees,omitempty"`
	// Interests are the interests of the opportunity.
	Interests []opportunity.RecordedInterest `json:"interests,omitempty"`
	// Region is the region that the workflow knows, for mails.
	Region opportunity.Ref `json:"region,omitzero"`
	// Number and Of say which of how many repetitions of a follow-up this is, for mails; 0 counts
	// as 1.
	Number int `json:"number,omitempty"`
	Of     int `json:"of,omitempty"`
	// Ahead are effects that InspectEffect may inspect together with the effect, because they come
	// next. Every other member of the input applies to them, too. Only InspectEffect uses Ahead.
	Ahead []EffectAhead `json:"ahead,omitempty"`
	// Request is the request that InspectEffect returned; only ExecuteEffect uses it.
	Request *exchange.EffectRequest `json:"act,omitempty"`
	// Now is the workflow's current time.
	Now time.Time `json:"now"`
	// RunID is the run id from the workflow's history; "" is not compared.
	RunID string `json:"run,omitempty"`
}

// EffectAhead is an effect that comes after the effect of an input, in the same chain.
type EffectAhead struct {
	Effect    exchange.Effect    `json:"effect"`
	UndoEntry exchange.UndoEntry `json:"trace,omitzero"`
}

// InspectResult is the result of an inspection. At most one of Request, RecheckAt and Error is set.
// If none is set, the effect is complete. With Undo, it means that nothing of the effect counts any
// more.
type InspectResult struct {
	// Subject is the key of the effect.
	Subject string `json:"about,omitempty"`
	// Request is the next request that the effect needs.
	Request *exchange.EffectRequest `json:"act,omitempty"`
	// RecheckAt is when to inspect the effect again, in UTC, if nothing can be done before that
	// time. NonBlocking says that later effects need not wait for this effect.
	RecheckAt   time.Time `json:"again,omitzero"`
	NonBlocking bool      `json:"aside,omitempty"`
	// Error says why the effect cannot be ensured.
	Error *opportunity.Error `json:"error,omitempty"`
	// UndoEntry replaces the undo entry of the effect. Contacts are the contacts of the attendees,
	// in the order of the attendees; "" means that the contact is not known.
	UndoEntry exchange.UndoEntry `json:"trace,omitzero"`
	Contacts  []opportunity.ID   `json:"contacts,omitempty"`
	// Reservation is what the API returns about the reserved places, if the inspection read them.
	Reservation *opportunity.Reservation `json:"reservation,omitempty"`
	// Details are details of the record that the inspection read. A member is empty if the
	// inspection did not read it.
	Details *opportunity.Details `json:"details,omitempty"`
	// PeopleInDoubt are the indexes of the attendees about whom an operator must decide whether they
	// are the contacts with their e-mail addresses. Error then describes the doubt.
	PeopleInDoubt []int `json:"peopleInDoubt,omitempty"`
	// Note is what an operator should know of a complete effect. It names no person.
	Note string `json:"note,omitempty"`
	// Overbooked are events that were found overbooked after the effect registered learners.
	Overbooked []exchange.OverbookedEvent `json:"overbooked,omitempty"`
	// RunID is the id by which the server knows the run.
	RunID string `json:"run,omitempty"`
	// Ahead are the results for the effects of EffectInput.Ahead. An effect without a result was
	// not inspected.
	Ahead []InspectResult `json:"ahead,omitempty"`
}

// ExecuteResult is the result of ExecuteEffect.
type ExecuteResult struct {
	CallResult
	// UndoEntry replaces the undo entry of the effect when Status is done.
	UndoEntry exchange.UndoEntry `json:"trace,omitzero"`
	// Contacts are the contacts of the attendees, as in InspectResult.
	Contacts []opportunity.ID `json:"contacts,omitempty"`
	// About names the events of a rejected request, without personal data. The API's reason for the
	// rejection does not name them.
	About string `json:"object,omitempty"`
}
