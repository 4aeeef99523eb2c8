package activities

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// The order for turns of the task queue's rate: first records that are urgent, then
// commands and what they need, then follow-ups, then sweeps over records that no caller
// waits for.
const (
	priorityUrgent     = 1
	priorityCommands   = 2
	priorityFollowUps  = 3
	priorityBackground = 4
)

// ScheduleToStartTimeout returns how long a change waits for a worker at most. After that time, the
// server has proven that nothing was sent. before is how many times in a row no worker
// took the change.
func ScheduleToStartTimeout(before int) time.Duration {
	return min(firstScheduleToStart<<min(before, 10), longestRound)
}

// firstScheduleToStart ends before a caller has waited for 120 s.
const firstScheduleToStart = 100 * time.Second

// ChangeOptions returns the options of an activity that changes something: one attempt, since
// the API cannot detect a repetition.
func (t Times) ChangeOptions(summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:           TaskQueue,
		StartToCloseTimeout: t.sendWindow() + t.responseTime(),
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
		Priority:            temporal.Priority{PriorityKey: priorityCommands},
		Summary:             summary,
	}
}

// ProbeOptions returns the options of an activity that asks whether the API answers at all:
// one attempt, since its failure is an answer, too.
func ProbeOptions(summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:           TaskQueue,
		StartToCloseTimeout: 30 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
		Priority:            temporal.Priority{PriorityKey: priorityCommands},
		Summary:             summary,
	}
}

// BackgroundReadOptions returns the options of ReadOptions for reads that no caller waits for, such as
// reading many records again. Commands go before a sweep, so its first round is long.
func BackgroundReadOptions(summary string) workflow.ActivityOptions {
	o := ReadOptions(summary)
	o.ScheduleToCloseTimeout = RoundTimeout(firstBackgroundRound)
	o.Priority = temporal.Priority{PriorityKey: priorityBackground}
	return o
}

// The bounds of the rounds of a read. The first two together end before a caller has
// waited for 120 s. The last bound limits a day without an answer to about thirty rounds.
const (
	firstRound           = 25 * time.Second
	secondRound          = 65 * time.Second
	thirdRound           = 2 * time.Minute
	longestRound         = time.Hour
	firstBackgroundRound = 2 // the first round of a sweep
)

// RoundTimeout returns how long a round of a read lasts at most, counted from the scheduling
// of the activity. Within the round the server repeats the activity. Rounds count from 0.
func RoundTimeout(round int) time.Duration {
	switch round {
	case 0:
		return firstRound
	case 1:
		return secondRound
	}
	return min(thirdRound<<min(round-2, 10), longestRound)
}

// WithRound returns the options of a read for a round. A read that begins with a longer
// round keeps that round.
func WithRound(o workflow.ActivityOptions, round int) workflow.ActivityOptions {
	if round > 0 {
		o.ScheduleToCloseTimeout = max(o.ScheduleToCloseTimeout, RoundTimeout(round))
	}
	return o
}

// ReadBackOptions returns the options of ReadOptions for reading back a change whose answer was
// lost. The first round is shorter: the time for the change and the settle time count
// towards the 120 s, too.
func ReadBackOptions(summary string) workflow.ActivityOptions {
	o := ReadOptions(summary)
	o.StartToCloseTimeout, o.ScheduleToCloseTimeout = 15*time.Second, 20*time.Second
	return o
}

// ReadOptions returns the options for the first round of an activity that only reads and that
// a command waits for. The server repeats the activity within the bound of the round,
// with pauses that grow from a second to a minute.
func ReadOptions(summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:              TaskQueue,
		StartToCloseTimeout:    20 * time.Second,
		ScheduleToCloseTimeout: RoundTimeout(0),
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute,
		},
		Priority: temporal.Priority{PriorityKey: priorityCommands},
		Summary:  summary,
	}
}

// WithFollowUpPriority returns the options for a follow-up: commands go before it.
func WithFollowUpPriority(o workflow.ActivityOptions) workflow.ActivityOptions {
	o.Priority = temporal.Priority{PriorityKey: priorityFollowUps}
	return o
}

// WithFairnessKey returns the options with a fairness key. Activities of one priority get their turns
// in fair parts by this key; "" is a key, too.
func WithFairnessKey(origin string, o workflow.ActivityOptions) workflow.ActivityOptions {
	o.Priority.FairnessKey = origin
	return o
}

// WithUrgentPriority returns the options for a record that goes before others.
func WithUrgentPriority(o workflow.ActivityOptions) workflow.ActivityOptions {
	o.Priority.PriorityKey = priorityUrgent
	return o
}
