package activities

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Rules says what the worker's playbook has.
type Rules = opportunity.Rules

// PlanInput asks what the worker's playbook plans for an opportunity.
type PlanInput struct {
	Reference   opportunity.Reference `json:"reference"`
	Opportunity opportunity.ID        `json:"opportunity"`
	// Occasion is what the plan is for. For a move, To may be left out where Step holds the
	// step as a caller wrote it.
	Occasion opportunity.Occasion `json:"occasion,omitzero"`
	// Step is the name or the id of the step of a move.
	Step string `json:"step,omitempty"`
	// Entered is when the opportunity came into its step, LastActivity when something other
	// than a follow-up last happened with it.
	Entered      time.Time `json:"entered,omitzero"`
	LastActivity time.Time `json:"lastActivity,omitzero"`
	// Adopted is when the record was adopted, where follow-ups count from the record's own
	// time of last change; else zero.
	Adopted time.Time `json:"adopted,omitzero"`
	// Region is what the workflow knows of the region: the API's answer for the record does
	// not hold it.
	Region opportunity.Named `json:"region,omitzero"`
	// Known are the interests as the workflow made them: the API does not return all of
	// their data.
	Known []opportunity.Held `json:"known,omitempty"`
	// Done are the follow-ups that are done.
	Done []opportunity.DoneFollowUp `json:"done,omitempty"`
	// Version is the highest version of the playbook that the workflow has seen. The
	// workflow takes no plan of a lower version.
	Version int `json:"version,omitempty"`
	// Now is the workflow's current time, for which the plan is made.
	Now time.Time `json:"now"`
}

// PlanResult is the plan, and the record that the plan was made from.
type PlanResult struct {
	Rules  Rules                `json:"rules"`
	Record opportunity.Snapshot `json:"record"`
	Plan   opportunity.Plan     `json:"plan"`
	// To is the step of a move.
	To opportunity.Step `json:"to,omitzero"`
	// Events are the events of the interests, with their possible changes.
	Events []EventNews `json:"events,omitempty"`
	// Foreign says that the record carries the mark of another reference.
	Foreign bool `json:"foreign,omitempty"`
	// Run is the id of the run that asked.
	Run string `json:"run,omitempty"`
}

// EventNews is a possible change of an event.
type EventNews struct {
	Event     opportunity.ID `json:"event"`
	Cancelled bool           `json:"cancelled,omitempty"`
	SoldOut   bool           `json:"soldOut,omitempty"`
}

// EffectInput asks to inspect one effect, or to act for it.
type EffectInput struct {
	Reference   opportunity.Reference `json:"reference"`
	Opportunity opportunity.ID        `json:"opportunity"`
	Effect      opportunity.Effect    `json:"effect"`
	// Undo asks to undo the effect, by its trace.
	Undo bool `json:"undo,omitempty"`
	// Trace is what is kept of the effect so far.
	Trace opportunity.Trace `json:"trace,omitzero"`
	// Attendees are the attendees of the opportunity, for effects about learners.
	Attendees []opportunity.Attendee `json:"attendees,omitempty"`
	// Interests are the interests of the opportunity.
	Interests []opportunity.Held `json:"interests,omitempty"`
	// Region is what the workflow knows of the region, for mails.
	Region opportunity.Named `json:"region,omitzero"`
	// Number and Of count the repetitions of a follow-up, for mails; 0 is 1.
	Number int `json:"number,omitempty"`
	Of     int `json:"of,omitempty"`
	// Act is the request that InspectEffect found missing, for CarryOutEffect.
	Act *opportunity.Act `json:"act,omitempty"`
	// Now is the workflow's current time.
	Now time.Time `json:"now"`
	// Run is the run id from the workflow's history; "" is not compared.
	Run string `json:"run,omitempty"`
}

// InspectResult is the result of an inspection. At most one of Act, Again and Error is
// set. None of them means that the effect stands, or with Undo that nothing of the effect
// counts any more.
type InspectResult struct {
	// About is the key of the effect.
	About string `json:"about,omitempty"`
	// Act is the next request that is missing.
	Act *opportunity.Act `json:"act,omitempty"`
	// Again is when to look again, in UTC, where there is nothing to do before. Aside says
	// that later effects need not wait for this effect.
	Again time.Time `json:"again,omitzero"`
	Aside bool      `json:"aside,omitempty"`
	// Error says why the effect cannot be ensured.
	Error *opportunity.Error `json:"error,omitempty"`
	// Trace is what is kept from now on. Contacts are the contacts of the attendees, by
	// their places in the list; "" where a contact is not known.
	Trace    opportunity.Trace `json:"trace,omitzero"`
	Contacts []opportunity.ID  `json:"contacts,omitempty"`
	// Reservation is what the API says of the places that are held, where the inspection
	// read them.
	Reservation *opportunity.Reservation `json:"reservation,omitempty"`
	// Run is the id of the run that asked.
	Run string `json:"run,omitempty"`
}

// CarryOutResult is the result of an act.
type CarryOutResult struct {
	Sending
	// Trace is what is kept from now on, when Fate is done.
	Trace opportunity.Trace `json:"trace,omitzero"`
	// Contacts are the contacts of the attendees, as in InspectResult.
	Contacts []opportunity.ID `json:"contacts,omitempty"`
}
