package entity

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/oppflow/oppflow/entity/queue"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// StateVersion is the version of the state that this code writes. A worker must not use a state of
// a newer version, because the worker would drop the unknown members of the state.
//
// Version 2 adds pause, close and refresh, and writes the queue in fewer bytes. Version 3 adds
// parked commands, and the id of the run that wrote the state. Version 4 adds effects, follow-ups
// and the features of the playbook. Version 5 adds the sources of queued commands. Version 6 adds
// the adoption time of records whose follow-up times are calculated from the record's last change.
// Version 7 has the same member names as the view for attention, waits, questions and effect
// results. Version 8 adds questions about people, and marks values of interests that are only known
// as requested. Version 9 stores for each interest whether its places are reserved, and adds
// transitions by hand. Version 9 also adds the times at which the step and the whole record were
// last seen, and the time until which the run of an ended opportunity stays open.
const StateVersion = 9

// State contains everything that one run knows of its opportunity and passes to the next run.
//
// State consists of components. A method that uses only the fields of one component belongs to this
// component. A method that uses the fields of several components belongs to State itself.
//
//	RecordState    record_state.go     the known state of the TMS record.
//	Inbox          inbox.go            the waiting requests, the known request ids, and the outcomes.
//	EffectState    effect_state.go     the transitions with planned effects, and the effects.
//	FollowUpState  follow_up_state.go  the follow-ups, and the external changes.
//	OperatorState  operator_state.go   the decisions of operators, and everything that waits for an operator.
//	Journal        journal.go          the timeline, the runs, and the playbook in force.
//
// The components are embedded, so the JSON of State is flat.
type State struct {
	Version   int                   `json:"version"`
	Reference opportunity.Reference `json:"reference"`

	RecordState
	Inbox
	EffectState
	FollowUpState
	OperatorState
	Journal
}

// NewState returns the state of an opportunity that is about to be created.
func NewState(reference opportunity.Reference, start opportunity.Start, now time.Time) *State {
	s := &State{Version: StateVersion, Reference: reference}
	s.Start, s.StartDigest, s.Runs = &start, start.Digest(), 1
	s.Details.Name = start.Name
	s.appendTimeline(now, "start accepted")
	return s
}

// ApplyCreated stores that the record exists, and queues the interests of the start before all
// other queued commands.
func (s *State) ApplyCreated(record exchange.Snapshot, region opportunity.Ref, now time.Time) {
	start := s.Start
	s.setRecord(record, region, now)
	s.Entered, s.LastActivity = now, now
	s.appendTimeline(now, "the record was created in step "+record.Step.Name)
	if start != nil && len(start.Interests) > 0 {
		payload, err := json.Marshal(opportunity.AddInterests{Interests: start.Interests, Source: start.Source})
		if err == nil { // plain data
			s.Queue = slices.Insert(s.Queue, 0, queue.Command{Request: opportunity.StartRequestID, MessageName: opportunity.MessageAddInterests, Payload: payload, ChangeCount: len(start.Interests), Accepted: now.Truncate(time.Millisecond), NoWaiter: true})
		}
	}
}

func (s *State) setRecord(record exchange.Snapshot, region opportunity.Ref, now time.Time) {
	s.Start = nil
	s.ID = record.ID
	s.Details = record.Details
	s.Details.Region = region
	s.Step, s.StepSeenAt = record.Step, now
	s.Reservation = record.Reservation
	s.RecordSeenAt = time.Time{}
	if len(record.Interests) == 0 {
		s.RecordSeenAt = now
	}
	s.requestPlan()
}

// HasBatch reports whether NextBatch has something to send.
func (s *State) HasBatch() bool {
	return s.canProceed() && (len(s.Queue) > 0 && !s.isTransitionBlocked() || s.ExpiryPending || s.isReleaseDue())
}

// IsOver reports whether the opportunity has ended: it is in a final step, and the run has no work
// left. A paused opportunity is never over.
func (s *State) IsOver() bool {
	return s.ID != "" && s.Step.Stage.State.IsFinal() && len(s.Queue) == 0 && len(s.Parked) == 0 && s.Question == nil &&
		s.Paused == nil && !s.ExpiryPending && !s.isReleaseDue() && !s.RefreshDue && s.ManualTransition == nil && len(s.ActiveEffects) == 0 && len(s.FollowUps) == 0 && len(s.ExternalChanges) == 0 && !s.PlanDue
}

// isReleaseDue reports whether a lost or archived opportunity still has a reservation, which the
// run must release before its end.
func (s *State) isReleaseDue() bool {
	state := s.Step.Stage.State
	return (state == opportunity.Lost || state == opportunity.Archived) && len(s.Queue) == 0 && s.HasReservation()
}

// Result returns the summary of the run.
func (s *State) Result() opportunity.RunResult {
	ended := opportunity.RunResult{
		Reference: s.Reference, Opportunity: s.ID, State: s.Step.Stage.State, Step: s.Step,
		Interests: len(s.Interests), Total: s.Total(), Currency: s.Details.Currency, FailedRequests: s.Failures,
	}
	if s.Closing != nil {
		ended.CloseReason = s.Closing.Reason
	}
	return ended
}

// FairnessKey returns the key by which Temporal dispatches the activities of many opportunities in
// turn. The key is the source of the start or, when the start is no longer stored, the source of
// the first queued command. Without a source, the key is the region or "".
func (s *State) FairnessKey() string {
	source := ""
	switch {
	case s.Start != nil:
		return s.Start.FairnessKey()
	case len(s.Queue) > 0:
		source = s.Queue[0].Source()
	}
	if source == "" {
		source = s.Details.Region.Name
	}
	if source == "" {
		source = string(s.Details.Region.ID)
	}
	return opportunity.TruncateBytes(source)
}

// IsUrgent reports whether the start is urgent. The records of urgent starts are created before the
// records of other starts.
func (s *State) IsUrgent() bool { return s.Start != nil && s.Start.Urgent }
