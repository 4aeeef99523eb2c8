package activities

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// What waits for a turn of the task queue's rate is served in this order: records that
// are urgently to be made, commands
// and what they need before follow-ups, and those before sweeps over records that
// nobody waits for.
const (
	priorityUrgent    = 1
	priorityCommands  = 2
	priorityFollowUps = 3
	prioritySweeps    = 4
)

// StartWithin returns how long a change waits for a worker at most. When that time is
// over, the server has proven that nothing was sent. before is how many times in a
// row no worker took it.
func StartWithin(before int) time.Duration {
	return min(firstStart<<min(before, 10), lastRound)
}

// firstStart ends before a caller has waited for 120 s.
const firstStart = 100 * time.Second

// ToChange are the options of an activity that changes something: one attempt,
// since the API cannot tell a repetition.
func (t Times) ToChange(summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:           TaskQueue,
		StartToCloseTimeout: t.sendWindow() + t.answerTime(),
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
		Priority:            temporal.Priority{PriorityKey: priorityCommands},
		Summary:             summary,
	}
}

// ToProbe are the options of an activity that asks whether the API answers at
// all: once, since its failure is an answer, too.
func ToProbe(summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:           TaskQueue,
		StartToCloseTimeout: 30 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
		Priority:            temporal.Priority{PriorityKey: priorityCommands},
		Summary:             summary,
	}
}

// ToSweep are those of ToRead for what nobody waits for, such as reading many
// records again: commands go before it, so its first round is long.
func ToSweep(summary string) workflow.ActivityOptions {
	o := ToRead(summary)
	o.ScheduleToCloseTimeout = RoundOf(sweepRound)
	o.Priority = temporal.Priority{PriorityKey: prioritySweeps}
	return o
}

// The bounds of the rounds of a read. The first two together end before a caller
// has waited for 120 s. The last keeps a day without an answer at about thirty
// rounds.
const (
	firstRound  = 25 * time.Second
	secondRound = 65 * time.Second
	thirdRound  = 2 * time.Minute
	lastRound   = time.Hour
	sweepRound  = 2 // the round that a sweep begins with
)

// RoundOf returns how long a round of a read lasts at most, from when the activity
// is scheduled: within it the server repeats the activity. Rounds count from 0.
func RoundOf(round int) time.Duration {
	switch round {
	case 0:
		return firstRound
	case 1:
		return secondRound
	}
	return min(thirdRound<<min(round-2, 10), lastRound)
}

// InRound returns the options of a read for a round of it. A read that begins with a
// longer round is not cut down.
func InRound(o workflow.ActivityOptions, round int) workflow.ActivityOptions {
	if round > 0 {
		o.ScheduleToCloseTimeout = max(o.ScheduleToCloseTimeout, RoundOf(round))
	}
	return o
}

// ToReadBack are those of ToRead for reading back what became of a change whose answer
// was lost. The first round is shorter: the time for the change and the settle time
// count towards the 120 s, too.
func ToReadBack(summary string) workflow.ActivityOptions {
	o := ToRead(summary)
	o.StartToCloseTimeout, o.ScheduleToCloseTimeout = 15*time.Second, 20*time.Second
	return o
}

// ToRead are the options of an activity that only reads and that a command waits
// for: the first round of it. The server repeats the activity from a second up to a
// minute apart, within the bound of the round.
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

// AsFollowUp are the options for what follows up on an opportunity: commands go
// before it.
func AsFollowUp(o workflow.ActivityOptions) workflow.ActivityOptions {
	o.Priority = temporal.Priority{PriorityKey: priorityFollowUps}
	return o
}

// For are the options with the key by which activities of one priority get their turns
// in fair parts; "" is a key, too.
func For(origin string, o workflow.ActivityOptions) workflow.ActivityOptions {
	o.Priority.FairnessKey = origin
	return o
}

// Urgently are the options of what a record needs that is to be made before others.
func Urgently(o workflow.ActivityOptions) workflow.ActivityOptions {
	o.Priority.PriorityKey = priorityUrgent
	return o
}
