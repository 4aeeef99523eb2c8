package activities

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// These constants are Temporal's priorities of activities; activities with the lowest number start
// first. priorityCommands also applies to the reads that commands need, and priorityBackground
// applies to the reads for which no caller waits.
const (
	priorityUrgent     = 1
	priorityCommands   = 2
	priorityFollowUps  = 3
	priorityBackground = 4
)

// ScheduleToStartTimeout returns how long the activity of a change may wait for a worker. A change
// was not sent if its activity timed out before a worker started the activity. before is the number
// of consecutive earlier activities that no worker took.
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
// read of a record. A background read has a longer time-out than other reads, because commands have
// priority over background reads.
func BackgroundReadOptions(summary string) workflow.ActivityOptions {
	o := ReadOptions(summary)
	o.ScheduleToCloseTimeout = RoundTimeout(firstBackgroundRound)
	o.Priority = temporal.Priority{PriorityKey: priorityBackground}
	return o
}

// The workflow repeats a read in rounds, with one activity for each round; these constants limit
// the length of the rounds. The first two rounds together are shorter than the 120 s that a caller
// waits. With longestRound, a day without a response needs only about thirty rounds.
const (
	firstRound           = 25 * time.Second
	secondRound          = 65 * time.Second
	thirdRound           = 2 * time.Minute
	longestRound         = time.Hour
	firstBackgroundRound = 2
)

// RoundTimeout returns the schedule-to-close time-out of the activity in the given round of a read.
// Rounds count from 0.
func RoundTimeout(round int) time.Duration {
	switch round {
	case 0:
		return firstRound
	case 1:
		return secondRound
	}
	return min(thirdRound<<min(round-2, 10), longestRound)
}

// WithRound returns the options for the given round of a read. WithRound keeps a longer time-out in
// o.
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

// ReadOptions returns the options for the first round of a read for which a command waits.
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
