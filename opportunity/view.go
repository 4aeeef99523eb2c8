package opportunity

import (
	"time"
)

// View is everything that the run knows of its opportunity. Reading the view sends no request to
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
	// Parked holds the commands that the API keeps failing, and that wait for an operator while
	// the other commands go on.
	Parked   []QueuedMessage `json:"parked,omitempty"`
	Question *Question       `json:"question,omitempty"`
	// Paused is set while the opportunity is paused.
	Paused *PauseInfo `json:"paused,omitempty"`
	// Closing is set once an operator has closed the run.
	Closing *CloseInfo `json:"closing,omitempty"`
	// Wait says what the queue waits for, such as the API or an API request under way.
	Wait      *WaitInfo   `json:"waiting,omitempty"`
	Attention []Attention `json:"attention"`
	// Refreshing says that the record is to be read again, and was not read yet.
	Refreshing bool `json:"refreshing,omitempty"`
	// EffectResults are the results of the effects, the latest last, and RunningEffects are the
	// active effects.
	EffectResults  []EffectResult  `json:"effects,omitempty"`
	RunningEffects []RunningEffect `json:"activeEffects,omitempty"`
	// FollowUps are the earliest planned follow-ups, the next one first.
	FollowUps []PlannedFollowUp `json:"followUps,omitempty"`
	// SkippedFollowUps are the follow-ups that are not done, and why.
	SkippedFollowUps []SkippedFollowUp `json:"skippedFollowUps,omitempty"`
	// PlaybookVersion is the version of the playbook that planned the effects of the last
	// transition; omitted when the namespace has no playbook.
	PlaybookVersion int `json:"playbook,omitempty"`
	// Failures counts the failed requests in all runs of the opportunity.
	Failures int `json:"failures"`
	// Timeline holds the last entries, oldest first.
	Timeline     []TimelineEntry `json:"timeline"`
	Runs         int             `json:"runs"`
	StateVersion int             `json:"stateVersion"`
}

// RunningEffect is an active effect.
type RunningEffect struct {
	Key  string     `json:"key"`
	Kind EffectKind `json:"kind"`
	// Stage says whether the effect is done before its transition, is done later, or is undone.
	Stage EffectStage `json:"stage"`
	// Next is the time of the next inspection, when the effect waits for a time.
	Next time.Time `json:"next,omitzero"`
	// Problem says why the effect waits for an operator.
	Problem string `json:"problem,omitempty"`
	// AsksPeople says that Problem is a question about people: confirm means the same person, retry
	// means another person, and skip leaves the person out.
	AsksPeople bool `json:"asksPeople,omitempty"`
}

// PlannedFollowUp is a follow-up that is planned.
type PlannedFollowUp struct {
	// Key identifies the follow-up in the messages snooze and cancelFollowUp.
	Key string `json:"key"`
	// Name is the name of the follow-up in the playbook.
	Name string    `json:"name"`
	Due  time.Time `json:"due"`
	// SnoozedUntil is the time until which an operator snoozed the follow-up, and Reason says
	// why.
	SnoozedUntil time.Time `json:"snoozedUntil,omitzero"`
	Reason       string    `json:"reason,omitempty"`
	// Number counts the repetitions from 1 to Of.
	Number int        `json:"number"`
	Of     int        `json:"of"`
	Action ActionKind `json:"action"`
}

// QueuedMessage is a queued command, without its payload.
type QueuedMessage struct {
	Request  string    `json:"request"`
	Summary  string    `json:"summary"`
	Accepted time.Time `json:"accepted"`
	InDoubt  bool      `json:"inDoubt,omitempty"`
}
