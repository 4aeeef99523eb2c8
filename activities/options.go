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
	priorityUrgent    = 1
	priorityCommands  = 2
	priorityFollowUps = 3
	prioritySweeps    = 4
)

// StartWithin returns how long a change waits for a worker at most. After that time, the
// server has proven that nothing was sent. before is how many times in a row no worker
// took the change.
func StartWithin(before int) time.Duration {
	return min(firstStart<<min(before, 10), lastRound)
}

// firstStart ends before a caller has waited for 120 s.
const firstStart = 100 * time.Second

// ToChange returns the options of an activity that changes something: one attempt, since
// the API cannot detect a repetition.
func (t Times) ToChange(summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:           TaskQueue,
		StartToCloseTimeout: t.sendWindow() + t.answerTime(),
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
		Priority:            temporal.Priority{PriorityKey: priorityCommands},
		Summary:             summary,
	}
}

// ToProbe returns the options of an activity that asks whether the API answers at all:
// one attempt, since its failure is an answer, too.
func ToProbe(summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:           TaskQueue,
		StartToCloseTimeout: 30 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
		Priority:            temporal.Priority{PriorityKey: priorityCommands},
		Summary:             summary,
	}
}

// ToSweep returns the options of ToRead for reads that no caller waits for, such as
// reading many records again. Commands go before a sweep, so its first round is long.
func ToSweep(summary string) workflow.ActivityOptions {
	o := ToRead(summary)
	o.ScheduleToCloseTimeout = RoundOf(sweepRound)
	o.Priority = temporal.Priority{PriorityKey: prioritySweeps}
	return o
}

// The bounds of the rounds of a read. The first two together end before a caller has
// waited for 120 s. The last bound limits a day without an answer to about thirty rounds.
const (
	firstRound  = 25 * time.Second
	secondRound = 65 * time.Second
	thirdRound  = 2 * time.Minute
	lastRound   = time.Hour
	sweepRound  = 2 // the first round of a sweep
)

// RoundOf returns how long a round of a read lasts at most, counted from the scheduling
// of the activity. Within the round the server repeats the activity. Rounds count from 0.
func RoundOf(round int) time.Duration {
	switch round {
	case 0:
		return firstRound
	case 1:
		return secondRound
	}
	return min(thirdRound<<min(round-2, 10), lastRound)
}

// InRound returns the options of a read for a round. A read that begins with a longer
// round keeps that round.
func InRound(o workflow.ActivityOptions, round int) workflow.ActivityOptions {
	if round > 0 {
		o.ScheduleToCloseTimeout = max(o.ScheduleToCloseTimeout, RoundOf(round))
	}
	return o
}

// ToReadBack returns the options of ToRead for reading back a change whose answer was
// lost. The first round is shorter: the time for the change and the settle time count
// towards the 120 s, too.
func ToReadBack(summary string) workflow.ActivityOptions {
	o := ToRead(summary)
	o.StartToCloseTimeout, o.ScheduleToCloseTimeout = 15*time.Second, 20*time.Second
	return o
}

// ToRead returns the options for the first round of an activity that only reads and that
// a command waits for. The server repeats the activity within the bound of the round,
// with pauses that grow from a second to a minute.
func ToRead(summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:              TaskQueue,
		StartToCloseTimeout:    20 * time.Second,
		ScheduleToCloseTimeout: RoundOf(0),
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute,
		},
		Priority: temporal.Priority{PriorityKey: priorityCommands},
		Summary:  summary,
	}
}

// AsFollowUp returns the options for a follow-up: commands go before it.
func AsFollowUp(o workflow.ActivityOptions) workflow.ActivityOptions {
	o.Priority = temporal.Priority{PriorityKey: priorityFollowUps}
	return o
}

// For returns the options with a fairness key. Activities of one priority get their turns
// in fair parts by this key; "" is a key, too.
func For(origin string, o workflow.ActivityOptions) workflow.ActivityOptions {
	o.Priority.FairnessKey = origin
	return o
}

// Urgently returns the options for a record that goes before others.
func Urgently(o workflow.ActivityOptions) workflow.ActivityOptions {
	o.Priority.PriorityKey = priorityUrgent
	return o
}
