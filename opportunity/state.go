package opportunity

import (
	"encoding/json"
	"slices"
	"time"
)

// StateVersion is the version of the state that this code writes. A worker that meets a newer
// version must not touch it, since the worker would drop the members that it does not know.
//
// Version 2 knows pause, close and refresh, and writes the queue in fewer bytes.
// Version 3 knows parked commands, and which run wrote it.
// Version 4 knows effects, follow-ups and the playbook they come from.
// Version 5 knows the sources of commands that wait.
// Version 6 knows when a record was adopted whose follow-ups count from its last change.
const StateVersion = 6

// State holds all that one run knows of its opportunity and hands to the run that continues it. It
// is plain data; its rules are its methods. Every method that needs the time takes the time as a
// parameter.
//
// State consists of components. A method that touches the fields of only one component belongs to
// that component. A method that needs several components belongs to State.
//
//	RecordState    recordstate.go    the mirror of the TMS record
//	Inbox          inbox.go          the requests: the waiting ones, the known ids, the outcomes
//	EffectState    effectstate.go    the moves with planned effects, and those effects
//	FollowUpState  followupstate.go  the follow-ups, and the outside events
//	OperatorState  operatorstate.go  the decisions of operators, and the matters that need an operator
//	Journal        journal.go        the timeline, the runs, and the playbook in force
//
// The components are embedded, so the JSON of State is flat.
type State struct {
	Version   int       `json:"version"`
	Reference Reference `json:"reference"`

	RecordState
	Inbox
	EffectState
	FollowUpState
	OperatorState
	Journal
}

// Held is an interest that the record has. The people to be trained are not kept: the TMS has
// them.
type Held struct {
	ID ID `json:"id"`
	// Item is the caller's name for it; of a long name, the beginning.
	Item       string `json:"item"`
	Kind       Kind   `json:"kind,omitempty"`
	Quantity   int    `json:"quantity"`
	UnitAmount Amount `json:"unitAmount"`
	// Reserve says that places were requested.
	Reserve bool `json:"reserve,omitempty"`
	// ExpiresAt is when training tokens expire, a local time without a zone as the
	// API takes it.
	ExpiresAt string `json:"expiresAt,omitempty"`
}

// NewState returns the state of an opportunity that is about to be created.
func NewState(reference Reference, start Start, now time.Time) *State {
	s := &State{Version: StateVersion, Reference: reference}
	s.Start, s.StartDigest, s.Runs = &start, start.Digest(), 1
	s.Details.Name = start.Name
	s.note(now, "start accepted")
	return s
}

// Created stores that the record exists, and queues the start's interests before everything else that
// waits.
func (s *State) Created(record Snapshot, region Named, now time.Time) {
	start := s.Start
	s.know(record, region)
	s.Entered, s.LastActivity = now, now
	s.note(now, "created in step "+record.Step.Name)
	if start != nil && len(start.Interests) > 0 {
		payload, err := json.Marshal(AddInterests{Interests: start.Interests, Source: start.Source})
		if err == nil { // plain data
			s.Queue = slices.Insert(s.Queue, 0, Entry{Request: StartRequest, Verb: VerbAddInterests, Payload: payload, Changes: len(start.Interests), Accepted: now.Truncate(time.Millisecond), Silent: true})
		}
	}
}

// know stores the record, which exists from now on.
func (s *State) know(record Snapshot, region Named) {
	s.Start = nil
	s.ID = record.ID
	s.Details = record.Details
	s.Details.Region = region
	s.Step = record.Step
	s.Reservation = record.Reservation
	s.replan()
}

// HasWork reports whether NextBatch has something to send.
func (s *State) HasWork() bool {
	return s.mayAct() && (len(s.Queue) > 0 && !s.moveWaits() || s.ExtendDue || s.releaseDue())
}

// IsOver reports whether the opportunity is in an ending step and no work is left; a paused opportunity
// is never over.
func (s *State) IsOver() bool {
	return s.ID != "" && s.Step.Stage.State.Ends() && len(s.Queue) == 0 && len(s.Parked) == 0 && s.Question == nil &&
		s.Paused == nil && !s.ExtendDue && !s.releaseDue() && !s.RefreshDue && len(s.Jobs) == 0 && len(s.FollowUps) == 0 && len(s.Occasions) == 0 && !s.PlanDue
}

// releaseDue reports whether a lost or archived opportunity holds places, which are given back before
// the run ends.
func (s *State) releaseDue() bool {
	state := s.Step.Stage.State
	return (state == Lost || state == Archived) && len(s.Queue) == 0 && s.holdsPlaces()
}

// End returns the summary of the run.
func (s *State) End() Ended {
	ended := Ended{
		Reference: s.Reference, Opportunity: s.ID, State: s.Step.Stage.State, Step: s.Step,
		Interests: len(s.Interests), Total: s.Total(), Currency: s.Details.Currency, Failed: s.Failures,
	}
	if s.Closing != nil {
		ended.Closed = s.Closing.Reason
	}
	return ended
}
