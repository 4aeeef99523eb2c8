package opportunity

import (
	"encoding/json"
	"slices"
	"time"
)

// StateVersion is the version of the state this code writes. A worker that
// meets a newer one must not touch it: it would drop what it does not know.
//
// Version 2 knows pause, close and refresh, and writes the queue in fewer bytes.
// Version 3 knows parked commands, and which run wrote it.
// Version 4 knows effects, follow-ups and the playbook they come from.
const StateVersion = 4

// State is all one run knows of its opportunity and hands to the run that
// continues it. It is plain data; its rules are its methods, and every method
// that needs the time is given it.
type State struct {
	Version   int       `json:"version"`
	Reference Reference `json:"reference"`
	// Start is what the run was started from; StartDigest outlives it.
	Start       *Start `json:"start,omitempty"`
	StartDigest string `json:"startDigest"`

	// ID is the record's id in the TMS, "" until it exists.
	ID          ID          `json:"id,omitempty"`
	Details     Details     `json:"details"`
	Step        Step        `json:"step,omitzero"`
	Interests   []Held      `json:"interests,omitempty"`
	Reservation Reservation `json:"reservation,omitzero"`
	// ExtendDue says that places were asked for and no expiry has been set yet.
	ExtendDue bool `json:"extendDue,omitempty"`

	// Queue holds the commands that wait, in the order they came.
	Queue Queue `json:"queue,omitempty"`
	// Parked holds the commands that the API fails to carry out, and that wait
	// for an operator while the others go on.
	Parked   Queue   `json:"parked,omitempty"`
	Handled  Handled `json:"handled"`
	Outcomes []Kept  `json:"outcomes,omitempty"`
	// Unnamed counts the messages that came without a request id.
	Unnamed int `json:"unnamed,omitempty"`
	// Failures counts the requests that failed.
	Failures int `json:"failures,omitempty"`

	// Paused is set while an operator keeps everything from being sent.
	Paused *Standstill `json:"paused,omitempty"`
	// Closing is set once an operator has ended the opportunity.
	Closing *Closing `json:"closing,omitempty"`
	// RefreshDue says that the record is to be read again.
	RefreshDue bool `json:"refreshDue,omitempty"`

	Question *Question `json:"question,omitempty"`
	// CreateAnyway is an operator's decision to create the record without looking
	// for it once more.
	CreateAnyway bool `json:"createAnyway,omitempty"`
	// CreateSkipped is an operator's decision not to create the record.
	CreateSkipped *Error `json:"createSkipped,omitempty"`
	// Foreign are interests of the record that no request of ours is known to
	// have made.
	Foreign   []ID        `json:"foreign,omitempty"`
	Attention []Attention `json:"attention,omitempty"`
	Timeline  []Moment    `json:"timeline,omitempty"`

	// Rules are those of the playbook of the worker that answered last.
	Rules Rules `json:"rules,omitzero"`
	// Renewed says that the playbook changed, so that the run is to be continued by a
	// new one as soon as nothing waits.
	Renewed bool `json:"renewed,omitempty"`
	// Entered is when it came into its step, LastActivity when anything last happened
	// with it but following up; zero when it is unknown.
	Entered      time.Time `json:"entered,omitzero"`
	LastActivity time.Time `json:"lastActivity,omitzero"`
	// PlanDue says that the follow-ups are to be planned again, PlannedAt when they
	// last were.
	PlanDue   bool      `json:"planDue,omitempty"`
	PlannedAt time.Time `json:"plannedAt,omitzero"`
	// Forgetful says that the run was reset, so that what is due may have been done.
	Forgetful bool `json:"forgetful,omitempty"`
	// FollowUps are the earliest of those that are planned; FollowUpsCut says that
	// there are others. LeftOut are those that will not be done. Snoozed are those that were put off, Done those that are not
	// to be done again, or ever.
	FollowUps    []FollowUp        `json:"followUps,omitempty"`
	FollowUpsCut bool              `json:"followUpsCut,omitempty"`
	LeftOut      []LeftOut         `json:"leftOut,omitempty"`
	Snoozed      []SnoozedFollowUp `json:"snoozed,omitempty"`
	Done         []DoneFollowUp    `json:"done,omitempty"`
	// Moves are those that wait and whose effects are planned, Jobs the effects that
	// are under way, Chains how many chains of effects there were.
	Moves  []Move `json:"moves,omitempty"`
	Jobs   []Job  `json:"jobs,omitempty"`
	Chains int    `json:"chains,omitempty"`
	// Ledger says what became of effects, the latest last.
	Ledger []LedgerEntry `json:"ledger,omitempty"`
	// Attendees are who is to be trained, as long as a playbook may register them.
	Attendees []Attendee `json:"attendees,omitempty"`
	// CancelledEvents are the events known to be cancelled, SoldOutEvents those known to
	// have sold out.
	CancelledEvents []ID `json:"cancelledEvents,omitempty"`
	SoldOutEvents   []ID `json:"soldOutEvents,omitempty"`
	// Lapsed says that places have lapsed since the record was last looked at for what
	// happened, and Occasions what did of which the effects are to be planned.
	Lapsed    bool       `json:"lapsed,omitempty"`
	Occasions []Occasion `json:"occasions,omitempty"`

	// Runs counts the runs of the workflow, this one included.
	Runs int `json:"runs"`
	// Writer is the id of the run that handed the state over, as far as that run
	// knew: after a reset it is that of the run before.
	Writer string `json:"writer,omitempty"`
}

// Held is an interest the record has. Who is to be trained is not kept: the TMS
// knows.
type Held struct {
	ID ID `json:"id"`
	// Item is what the caller called it; of a long name, the beginning.
	Item       string `json:"item"`
	Kind       Kind   `json:"kind,omitempty"`
	Quantity   int    `json:"quantity"`
	UnitAmount Amount `json:"unitAmount"`
	// Reserve says that places were asked for.
	Reserve bool `json:"reserve,omitempty"`
	// ExpiresAt is when training tokens expire, a local time without a zone as the
	// API takes it.
	ExpiresAt string `json:"expiresAt,omitempty"`
}

// NewState makes the state of an opportunity that is about to be created.
func NewState(reference Reference, start Start, now time.Time) *State {
	s := &State{Version: StateVersion, Reference: reference, Start: &start, StartDigest: start.Digest(), Runs: 1}
	s.Details.Name = start.Name
	s.note(now, "start accepted")
	return s
}

// Created notes that the record exists, and queues the start's interests before
// everything else that waits.
func (s *State) Created(record Snapshot, region Named, now time.Time) {
	start := s.Start
	s.know(record, region)
	s.Entered, s.LastActivity = now, now
	s.note(now, "created in step "+record.Step.Name)
	if start != nil && len(start.Interests) > 0 {
		payload, err := json.Marshal(AddInterests{Interests: start.Interests})
		if err == nil { // plain data
			s.Queue = slices.Insert(s.Queue, 0, Entry{Request: StartRequest, Verb: VerbAddInterests, Payload: payload, Changes: len(start.Interests), Accepted: now.Truncate(time.Millisecond), Silent: true})
		}
	}
}

// know takes in the record that exists from now on.
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
	return s.ID != "" && s.Question == nil && s.Paused == nil && (len(s.Queue) > 0 && !s.moveWaits() || s.ExtendDue || s.releaseDue())
}

// IsOver reports whether the opportunity stands in an ending step and nothing
// is left to do. One that is paused stays as it is.
func (s *State) IsOver() bool {
	return s.ID != "" && s.Step.Stage.State.Ends() && len(s.Queue) == 0 && len(s.Parked) == 0 && s.Question == nil &&
		s.Paused == nil && !s.ExtendDue && !s.releaseDue() && !s.RefreshDue && len(s.Jobs) == 0 && len(s.FollowUps) == 0 && len(s.Occasions) == 0 && !s.PlanDue
}

// releaseDue reports whether places are held for what was lost or archived, so that
// they are to be given back before the run ends.
func (s *State) releaseDue() bool {
	state := s.Step.Stage.State
	return (state == Lost || state == Archived) && len(s.Queue) == 0 && s.holdsPlaces()
}

// End sums the run up.
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

// Total is the sum over the interests of quantity times unit amount, before tax
// and discounts.
func (s *State) Total() Amount {
	var total Amount
	for _, held := range s.Interests {
		total = total.Add(held.UnitAmount.Times(held.Quantity))
	}
	return total
}
