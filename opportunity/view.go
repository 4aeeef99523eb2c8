package opportunity

import (
	"time"
)

// View is the whole picture of one opportunity, as the run knows it. It needs no call to
// the API.
type View struct {
	Reference   Reference          `json:"reference"`
	Opportunity ID                 `json:"opportunity,omitempty"`
	Details     Details            `json:"details"`
	Step        *Step              `json:"step,omitempty"`
	Interests   []RecordedInterest `json:"interests"`
	Total       Amount             `json:"total"`
	Reservation *Reservation       `json:"reservation,omitempty"`
	// Queue holds the waiting commands, in order.
	Queue []QueuedMessage `json:"queue"`
	// Parked holds the commands that the API fails to carry out, and that wait for an
	// operator while the others go on.
	Parked   []QueuedMessage `json:"parked,omitempty"`
	Question *Question       `json:"question,omitempty"`
	// Paused is set while an operator keeps everything from being sent.
	Paused *PauseInfo `json:"paused,omitempty"`
	// Closing is set once an operator has ended the opportunity.
	Closing *CloseInfo `json:"closing,omitempty"`
	// Wait says what the queue waits for, such as the API or the request that is under
	// way.
	Wait      *WaitInfo   `json:"waiting,omitempty"`
	Attention []Attention `json:"attention"`
	// EffectResults are the results of the side effects, the latest last, and Working the side
	// effects under way.
	EffectResults  []EffectResult  `json:"effects,omitempty"`
	RunningEffects []RunningEffect `json:"activeEffects,omitempty"`
	// FollowUps are the earliest planned follow-ups, the next one first.
	FollowUps []PlannedFollowUp `json:"followUps,omitempty"`
	// SkippedFollowUps are follow-ups that will not be done, and why.
	SkippedFollowUps []SkippedFollowUp `json:"skippedFollowUps,omitempty"`
	// PlaybookVersion is the version of the playbook that planned the effects of the last move;
	// left out when the namespace has no playbook.
	PlaybookVersion int `json:"playbook,omitempty"`
	// Failures counts the requests that failed over the whole life.
	Failures int `json:"failures"`
	// Timeline holds the last entries, oldest first.
	Timeline     []TimelineEntry `json:"timeline"`
	Runs         int             `json:"runs"`
	StateVersion int             `json:"stateVersion"`
}

// RunningEffect is a side effect that is under way.
type RunningEffect struct {
	Key  string     `json:"key"`
	Kind EffectKind `json:"kind"`
	// Stage is before or after its move, or undo.
	Stage EffectStage `json:"stage"`
	// Next is the time of its next inspection, when the effect waits for a time.
	Next time.Time `json:"next,omitzero"`
	// Problem says why the effect waits for an operator.
	Problem string `json:"problem,omitempty"`
}

// PlannedFollowUp is a follow-up that is planned.
type PlannedFollowUp struct {
	// Key is the name of the follow-up in a snooze or a cancellation.
	Key string `json:"key"`
	// Name is the name of the follow-up in the playbook.
	Name string    `json:"name"`
	Due  time.Time `json:"due"`
	// SnoozedUntil is set when an operator put the follow-up off: it is not done before
	// that time. Reason says why.
	SnoozedUntil time.Time `json:"snoozedUntil,omitzero"`
	Reason       string    `json:"reason,omitempty"`
	// Number counts the repetitions from 1 to Of.
	Number int        `json:"number"`
	Of     int        `json:"of"`
	Action ActionKind `json:"action"`
}

// QueuedMessage is a command in the queue, without its payload.
type QueuedMessage struct {
	Request  string    `json:"request"`
	Summary  string    `json:"summary"`
	Accepted time.Time `json:"accepted"`
	InDoubt  bool      `json:"inDoubt,omitempty"`
}
