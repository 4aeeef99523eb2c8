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
	// Parked holds the commands for which the API repeatedly returned its own errors. Parked
	// commands wait for an operator while the other commands go on.
	Parked   []QueuedMessage `json:"parked,omitempty"`
	Question *Question       `json:"question,omitempty"`
	// Paused is set while the opportunity is paused.
	Paused *PauseInfo `json:"paused,omitempty"`
	// Closing is set once an operator has closed the run.
	Closing *CloseInfo `json:"closing,omitempty"`
	// OpenUntil is until when an ended opportunity takes messages. OpenUntil is omitted while the
	// opportunity has not ended, and when the run ends as soon as nothing is left to do.
	OpenUntil time.Time `json:"openUntil,omitzero"`
	// Wait says what the queue waits for, such as the API or an API request under way.
	Wait      *WaitInfo   `json:"waiting,omitempty"`
	Attention []Attention `json:"attention"`
	// Refreshing says that a read of the record was requested and has not ended yet.
	Refreshing bool `json:"refreshing,omitempty"`
	// EffectResults are the results of the effects, the latest last, and RunningEffects are the
	// active effects.
	EffectResults  []EffectResult  `json:"effects,omitempty"`
	RunningEffects []RunningEffect `json:"activeEffects,omitempty"`
	// FollowUps are the earliest planned follow-ups, in the order of their times.
	FollowUps []PlannedFollowUp `json:"followUps,omitempty"`
	// SkippedFollowUps are the follow-ups that Oppflow does not do, with the reasons.
	SkippedFollowUps []SkippedFollowUp `json:"skippedFollowUps,omitempty"`
	// PlaybookVersion is the version of the playbook that planned the effects of the last transition;
	// PlaybookVersion is omitted when the namespace has no playbook.
	PlaybookVersion int `json:"playbook,omitempty"`
	// Failures counts the failed requests in all runs of the opportunity.
	Failures int `json:"failures"`
	// Timeline holds the latest entries, from the oldest to the newest.
	Timeline     []TimelineEntry `json:"timeline"`
	Runs         int             `json:"runs"`
	StateVersion int             `json:"stateVersion"`
}

// Result returns the summary that a run returns at its end.
func (v View) Result() RunResult {
	result := RunResult{
		Reference: v.Reference, Opportunity: v.Opportunity, Interests: len(v.Interests), Total: v.Total, Currency: v.Details.Currency, FailedRequests: v.Failures,
	}
	if v.Step != nil {
		result.State, result.Step = v.Step.Stage.State, *v.Step
	}
	if v.Closing != nil {
		result.CloseReason = v.Closing.Reason
	}
	return result
}

// RunningEffect is an active effect.
type RunningEffect struct {
	Key  string     `json:"key"`
	Kind EffectKind `json:"kind"`
	// Stage says whether the effect is done before its transition, is done later, or is undone.
	Stage EffectStage `json:"stage"`
	// Next is when Oppflow inspects the effect again, if the effect waits for a time.
	Next time.Time `json:"next,omitzero"`
	// Problem says why the effect waits for an operator.
	Problem string `json:"problem,omitempty"`
	// AsksPeople says that Problem is a question about people. The answer "confirm" means the same
	// person, "retry" means another person, and "skip" omits the person.
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
	// Number is the number of this repetition, from 1 to Of.
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
