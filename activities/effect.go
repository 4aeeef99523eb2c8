package activities

import (
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// PlaybookFeatures contains the version of the worker's playbook and the kinds of rules in this
// playbook.
type PlaybookFeatures = exchange.PlaybookFeatures

// PlanInput is a request for the plan that the worker's playbook makes for an opportunity.
type PlanInput struct {
	Reference   opportunity.Reference `json:"reference"`
	Opportunity opportunity.ID        `json:"opportunity"`
	// PlanFor says why the plan is made. For a transition, PlanFor.To may be empty; TargetStep then
	// contains the target step as the caller wrote it.
	PlanFor    exchange.PlanCause `json:"occasion,omitzero"`
	TargetStep string             `json:"step,omitempty"`
	// Entered is when the opportunity entered its step. LastActivity is the time of the last activity
	// on the opportunity, without Oppflow's own follow-ups.
	Entered      time.Time `json:"entered,omitzero"`
	LastActivity time.Time `json:"lastActivity,omitzero"`
	// AdoptedAt is when the record was adopted. AdoptedAt is set only if the times of follow-ups
	// count from the record's last change.
	AdoptedAt time.Time `json:"adopted,omitzero"`
	// Known is the record as the workflow knows it; KnownInterests contains the interests of the
	// record. Known is set only for a transition, and only if a response contained the whole record at
	// most exchange.MaxRecordAge ago. KnownAt is the time of the response that contained Known. A
	// worker that can plan from Known reads nothing.
	Known   *exchange.Snapshot `json:"knownRecord,omitempty"`
	KnownAt time.Time          `json:"knownAt,omitzero"`
	// Region is the region of the opportunity. The API returns no region for a record, so the workflow
	// passes the region to the worker.
	Region opportunity.Ref `json:"region,omitzero"`
	// KnownInterests are the interests of the opportunity, with the data that the workflow sent to add
	// the interests. The API does not return all data of an interest.
	KnownInterests []opportunity.RecordedInterest `json:"known,omitempty"`
	DoneFollowUps  []exchange.DoneFollowUp        `json:"done,omitempty"`
	// MinPlaybookVersion is the highest version of the playbook that the workflow has seen.
	MinPlaybookVersion int `json:"version,omitempty"`
	// Now is the workflow's current time, for which the plan is made.
	Now time.Time `json:"now"`
}

// PlanResult is the plan, and the record from which the plan was made.
type PlanResult struct {
	PlaybookFeatures PlaybookFeatures  `json:"rules"`
	Record           exchange.Snapshot `json:"record"`
	Plan             exchange.Plan     `json:"plan"`
	// FromKnown says that the plan was made from PlanInput.Known. Record then contains only the id,
	// because nothing was read.
	FromKnown  bool             `json:"fromKnown,omitempty"`
	TargetStep opportunity.Step `json:"to,omitzero"`
	// Events are the events of the opportunity's interests, in which the workflow looks for external
	// changes.
	Events []EventChange `json:"events,omitempty"`
	// TaggedByOther says that the record has the reference tag of another opportunity.
	TaggedByOther bool   `json:"foreign,omitempty"`
	RunID         string `json:"run,omitempty"`
}

// EventChange says whether an event is cancelled or sold out, and how many free places the event
// has.
type EventChange struct {
	Event     opportunity.ID `json:"event"`
	Cancelled bool           `json:"cancelled,omitempty"`
	SoldOut   bool           `json:"soldOut,omitempty"`
	// FreePlaces is the number of places that are neither booked nor reserved. FreePlaces is
	// negative for an overbooked event, and nil if the API does not return the number of free
	// places.
	FreePlaces *int `json:"freePlaces,omitempty"`
}

// EffectInput is the input of InspectEffect and ExecuteEffect for one effect.
type EffectInput struct {
	Reference   opportunity.Reference `json:"reference"`
	Opportunity opportunity.ID        `json:"opportunity"`
	Effect      exchange.Effect       `json:"effect"`
	// Undo says that the activity must undo the effect with the data in UndoEntry.
	Undo      bool               `json:"undo,omitempty"`
	UndoEntry exchange.UndoEntry `json:"trace,omitzero"`
	// Attendees are the attendees of the opportunity, for effects about learners.
	Attendees []exchange.Attendee `json:"attendees,omitempty"`
	// Account is the opportunity's account in the state of the workflow. InspectEffect uses Account
	// only to decide what to read in its first request.
	Account   opportunity.ID                 `json:"account,omitempty"`
	Interests []opportunity.RecordedInterest `json:"interests,omitempty"`
	// Region is the region of the opportunity; only mails use Region.
	Region opportunity.Ref `json:"region,omitzero"`
	// Number says which repetition of a follow-up sends the mail, and Of says how many repetitions the
	// follow-up has; 0 counts as 1.
	Number int `json:"number,omitempty"`
	Of     int `json:"of,omitempty"`
	// Ahead are later effects of the chain, which InspectEffect may inspect together with this
	// effect. ExecuteEffect sends the requests of the effects in Ahead in the same API request as
	// Request. Every other member of the input also applies to the effects in Ahead.
	Ahead []EffectAhead `json:"ahead,omitempty"`
	// AfterContacts says that an earlier effect of the chain creates the missing contacts of the
	// attendees. A registration may then name attendees who have no contact yet.
	AfterContacts bool `json:"afterContacts,omitempty"`
	// ReadRecord requests that InspectEffect also reads the record and the events of its interests.
	ReadRecord bool `json:"readRecord,omitempty"`
	// Request is the request that InspectEffect returned; only ExecuteEffect uses Request.
	Request *exchange.EffectRequest `json:"act,omitempty"`
	// Now is the workflow's current time.
	Now   time.Time `json:"now"`
	RunID string    `json:"run,omitempty"`
}

// EffectAhead is an effect that Oppflow executes after the effect in the same EffectInput.
type EffectAhead struct {
	Effect    exchange.Effect    `json:"effect"`
	UndoEntry exchange.UndoEntry `json:"trace,omitzero"`
	// Request and AfterContacts have the same meaning as in EffectInput.
	Request       *exchange.EffectRequest `json:"act,omitempty"`
	AfterContacts bool                    `json:"afterContacts,omitempty"`
}

// Of returns the input for this effect alone, from the input that contains this effect in Ahead.
func (e EffectAhead) Of(in EffectInput) EffectInput {
	in.Effect, in.UndoEntry, in.Request, in.AfterContacts, in.Ahead, in.ReadRecord = e.Effect, e.UndoEntry, e.Request, e.AfterContacts, nil, false
	return in
}

// InspectResult is the result of an inspection. At most one of Request, RecheckAt and Error is set.
// If none of Request, RecheckAt and Error is set, the effect or its undo is complete. After a
// complete undo, nothing of the effect counts any more.
type InspectResult struct {
	Subject string                  `json:"about,omitempty"`
	Request *exchange.EffectRequest `json:"act,omitempty"`
	// RecheckAt is when to inspect the effect again, in UTC, if nothing can be done before that
	// time. NonBlocking says that later effects need not wait for this effect.
	RecheckAt   time.Time `json:"again,omitzero"`
	NonBlocking bool      `json:"aside,omitempty"`
	// Error says why Oppflow cannot complete the effect.
	Error *opportunity.Error `json:"error,omitempty"`
	// UndoEntry replaces the undo entry of the effect. Contacts are the contacts of the attendees,
	// in the order of the attendees; "" means that the contact is not known.
	UndoEntry exchange.UndoEntry `json:"trace,omitzero"`
	Contacts  []opportunity.ID   `json:"contacts,omitempty"`
	// Reservation is the opportunity's reservation, or nil if the inspection did not read the
	// reservation.
	Reservation *opportunity.Reservation `json:"reservation,omitempty"`
	// Details are the details of the record that the inspection read; an unread member is empty.
	Details *opportunity.Details `json:"details,omitempty"`
	// PeopleInDoubt are the indexes of the attendees for whom an operator must decide whether the
	// contact with the same e-mail address is the same person.
	PeopleInDoubt []int `json:"peopleInDoubt,omitempty"`
	// Note is what an operator should know of a complete effect. Note names no person.
	Note string `json:"note,omitempty"`
	// Overbooked are the events that an inspection found overbooked after the effect registered
	// learners.
	Overbooked []exchange.OverbookedEvent `json:"overbooked,omitempty"`
	// Places says for each interest whether its places are held; set only by an effect that reserves
	// places.
	Places []exchange.InterestPlaces `json:"places,omitempty"`
	RunID  string                    `json:"run,omitempty"`
	// Ahead are the results for the effects of EffectInput.Ahead. An effect without a result was
	// not inspected.
	Ahead []InspectResult `json:"ahead,omitempty"`
	// Read is the record, if EffectInput.ReadRecord requested the record and the read succeeded.
	Read *RecordRead `json:"read,omitempty"`
}

// RecordRead is a record that InspectEffect read together with the data for effects. The members of
// RecordRead have the same meaning as in PlanResult.
type RecordRead struct {
	Record        exchange.Snapshot `json:"record"`
	Events        []EventChange     `json:"events,omitempty"`
	TaggedByOther bool              `json:"foreign,omitempty"`
}

// ExecuteResult is the result of ExecuteEffect.
type ExecuteResult struct {
	CallResult
	// UndoEntry replaces the undo entry of the effect when Status is done.
	UndoEntry exchange.UndoEntry `json:"trace,omitzero"`
	Contacts  []opportunity.ID   `json:"contacts,omitempty"`
	// About names the events of a rejected request, without personal data.
	About string `json:"object,omitempty"`
	// Next is the next request that the effect needs, if the response to the done request shows it.
	Next *exchange.EffectRequest `json:"next,omitempty"`
	// CreatedContacts are the contacts in the response to a request that creates contacts, in the
	// order of the attendees; "" means that the request created no contact for the attendee.
	CreatedContacts []opportunity.ID `json:"createdContacts,omitempty"`
	// Ahead are the results for the effects of EffectInput.Ahead, in their order.
	Ahead []ExecuteResult `json:"ahead,omitempty"`
}
