package activities

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Rules tells what the worker's playbook has.
type Rules = opportunity.Rules

// PlanInput asks what the worker's playbook says about an opportunity.
type PlanInput struct {
	Reference   opportunity.Reference `json:"reference"`
	Opportunity opportunity.ID        `json:"opportunity"`
	// Occasion is what the plan is for. Of a move, To may be left out where Step
	// names the step as a caller wrote it.
	Occasion opportunity.Occasion `json:"occasion,omitzero"`
	// Step is the name or the id of the step of a move.
	Step string `json:"step,omitempty"`
	// Entered is when the opportunity came into its step, LastActivity when anything
	// last happened with it but following up.
	Entered      time.Time `json:"entered,omitzero"`
	LastActivity time.Time `json:"lastActivity,omitzero"`
	// Region is what the workflow knows of the region: the record's own answer does
	// not hold it.
	Region opportunity.Named `json:"region,omitzero"`
	// Known are the interests as the workflow made them: the API does not tell all
	// of it again.
	Known []opportunity.Held `json:"known,omitempty"`
	// Done are the follow-ups that were done.
	Done []opportunity.DoneFollowUp `json:"done,omitempty"`
	// Version is the highest version of the playbook that the workflow has seen: it takes
	// no plan of a lower one.
	Version int `json:"version,omitempty"`
	// Now is the moment to plan for, which the workflow takes for now.
	Now time.Time `json:"now"`
}

// PlanResult is the plan, and the record it was made from.
type PlanResult struct {
	Rules  Rules                `json:"rules"`
	Record opportunity.Snapshot `json:"record"`
	Plan   opportunity.Plan     `json:"plan"`
	// To is the step of a move.
	To opportunity.Step `json:"to,omitzero"`
	// Events are what is known of the events of the interests.
	Events []EventNews `json:"events,omitempty"`
	// Foreign says that the record carries the mark of another reference.
	Foreign bool `json:"foreign,omitempty"`
	// Run is the id of the run that asked.
	Run string `json:"run,omitempty"`
}

// EventNews is what may have happened to an event.
type EventNews struct {
	Event     opportunity.ID `json:"event"`
	Cancelled bool           `json:"cancelled,omitempty"`
	SoldOut   bool           `json:"soldOut,omitempty"`
}

// EffectInput asks to look at one effect, or to act for it.
type EffectInput struct {
	Reference   opportunity.Reference `json:"reference"`
	Opportunity opportunity.ID        `json:"opportunity"`
	Effect      opportunity.Effect    `json:"effect"`
	// Undo asks for the effect to be taken back, by its trace.
	Undo bool `json:"undo,omitempty"`
	// Trace is what is kept of it so far.
	Trace opportunity.Trace `json:"trace,omitzero"`
	// Attendees are those of the opportunity, for effects about learners.
	Attendees []opportunity.Attendee `json:"attendees,omitempty"`
	// Interests are those of the opportunity.
	Interests []opportunity.Held `json:"interests,omitempty"`
	// Region is what the workflow knows of the region, for mails.
	Region opportunity.Named `json:"region,omitzero"`
	// Number and Of count the repetitions of a follow-up, for mails; 0 is 1.
	Number int `json:"number,omitempty"`
	Of     int `json:"of,omitempty"`
	// Act is what to do, for CarryOutEffect: what InspectEffect found missing.
	Act *opportunity.Act `json:"act,omitempty"`
	// Now is what the workflow takes for now.
	Now time.Time `json:"now"`
	// Run is the run that the workflow takes itself for; "" is not compared.
	Run string `json:"run,omitempty"`
}

// InspectResult is what looking found. Of Act, Again, Error and none of them, the
// last says that the effect stands, or with Undo that nothing of it counts any more.
type InspectResult struct {
	// About is the key of the effect.
	About string `json:"about,omitempty"`
	// Act is the request that is missing next.
	Act *opportunity.Act `json:"act,omitempty"`
	// Again is when to look again, where there is nothing to do before, in UTC. Aside
	// says that what comes after the effect need not wait for it.
	Again time.Time `json:"again,omitzero"`
	Aside bool      `json:"aside,omitempty"`
	// Error says why the effect cannot be ensured.
	Error *opportunity.Error `json:"error,omitempty"`
	// Trace is what is kept from now on, Contacts who attendees turned out to be, by
	// their places in the list; "" where it is not known.
	Trace    opportunity.Trace `json:"trace,omitzero"`
	Contacts []opportunity.ID  `json:"contacts,omitempty"`
	// Reservation is what the API says of the places that are held, where that was
	// looked at.
	Reservation *opportunity.Reservation `json:"reservation,omitempty"`
	// Run is the id of the run that asked.
	Run string `json:"run,omitempty"`
}

// CarryOutResult is what became of an act.
type CarryOutResult struct {
	Sending
	// Trace is what is kept from now on, when Fate is done.
	Trace opportunity.Trace `json:"trace,omitzero"`
	// Contacts are who attendees turned out to be, as in InspectResult.
	Contacts []opportunity.ID `json:"contacts,omitempty"`
}
