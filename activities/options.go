package activities

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// These are the priorities of activities under the rate limit of the task queue. Urgent records go
// first. Commands, and the reads that commands need, go after urgent records and before follow-ups.
// Background reads, for which no caller waits, go last.
const (
	priorityUrgent     = 1
	priorityCommands   = 2
	priorityFollowUps  = 3
	priorityBackground = 4
)

// ScheduleToStartTimeout returns how long a change may wait until a worker starts its activity. A
// change that times out was not sent. before is the number of consecutive earlier activities that
// no worker took.
func ScheduleToStartTimeout(before int) time.Duration {
	return min(firstScheduleToStart<<min(before, 10), longestRound)
}

// firstScheduleToStart is shorter than the 120 s that a caller waits.
const firstScheduleToStart = 100 * time.Second

// ChangeOptions returns the options of an activity that changes something. The activity has one
// attempt, because the API cannot detect a repetition.
func (t Times) ChangeOptions(summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:           TaskQueue,
		StartToCloseTimeout: t.sendWindow() + t.responseTime(),
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
		Priority:            temporal.Priority{PriorityKey: priorityCommands},
		Summary:             summary,
	}
}

// ProbeOptions returns the options of an activity that tests whether the API responds. The activity
// has one attempt, because a failure is also a result of the test.
func ProbeOptions(summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:           TaskQueue,
		StartToCloseTimeout: 30 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
		Priority:            temporal.Priority{PriorityKey: priorityCommands},
		Summary:             summary,
	}
}

// BackgroundReadOptions returns the options for a read that no caller waits for, such as the daily
// read of a record. The first round of a background read is long, because commands have priority
// over background reads.
func BackgroundReadOptions(summary string) workflow.ActivityOptions {
	o := ReadOptions(summary)
	o.ScheduleToCloseTimeout = RoundTimeout(firstBackgroundRound)
	o.Priority = temporal.Priority{PriorityKey: priorityBackground}
	return o
}

// These constants limit the length of each round of a read. The first two rounds of a read together
// are shorter than the 120 s that a caller waits. longestRound limits a day without a response to
// about thirty rounds.
const (
	firstRound           = 25 * time.Second
	secondRound          = 65 * time.Second
	thirdRound           = 2 * time.Minute
	longestRound         = time.Hour
	firstBackgroundRound = 2
)

// RoundTimeout returns the longest time from the scheduling of the activity to the end of a round
// of a read. Rounds count from 0.
func RoundTimeout(round int) time.Duration {
	switch round {
	case 0:
		return firstRound
	case 1:
		return secondRound
	}
	return min(thirdRound<<min(round-2, 10), longestRound)
}

// WithRound returns the options for the given round of a read. A longer time-out in o stays.
func WithRound(o workflow.ActivityOptions, round int) workflow.ActivityOptions {
	if round > 0 {
		o.ScheduleToCloseTimeout = max(o.ScheduleToCloseTimeout, RoundTimeout(round))
	}
	return o
}

// ReadBackOptions returns the options for reading back a change whose response was lost. The first
// round is shorter than in ReadOptions, because the time for sending the change and the settle time
// also count towards the 120 s that a caller waits.
func ReadBackOptions(summary string) workflow.ActivityOptions {
	o := ReadOptions(summary)
	o.StartToCloseTimeout, o.ScheduleToCloseTimeout = 15*time.Second, 20*time.Second
	return o
}

// ReadOptions returns the options for the first round of an activity that only reads and that a
// command waits for.
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

// WithFollowUpPriority returns the options with the priority of a follow-up, which is lower than
// the priority of a command.
func WithFollowUpPriority(o workflow.ActivityOptions) workflow.ActivityOptions {
	o.Priority = temporal.Priority{PriorityKey: priorityFollowUps}
	return o
}

// WithFairnessKey returns the options with a fairness key. The server treats the empty key "" like
// any other key.
func WithFairnessKey(origin string, o workflow.ActivityOptions) workflow.ActivityOptions {
	o.Priority.FairnessKey = origin
	return o
}

// WithUrgentPriority returns the options with the priority of an urgent opportunity.
func WithUrgentPriority(o workflow.ActivityOptions) workflow.ActivityOptions {
	o.Priority.PriorityKey = priorityUrgent
	return o
}
