package activities

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// What waits for a turn of the task queue's rate is served in this order: commands
// and what they need before follow-ups, and those before sweeps over records that
// nobody waits for.
const (
	priorityCommands  = 2
	priorityFollowUps = 3
	prioritySweeps    = 4
)

// ToChange are the options of an activity that changes something: one attempt,
// since the API cannot tell a repetition, and no limit on how long it may wait
// for a worker, since nothing has happened by then.
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
// records again: commands go before it.
func ToSweep(summary string) workflow.ActivityOptions {
	o := ToRead(summary)
	o.Priority = temporal.Priority{PriorityKey: prioritySweeps}
	return o
}

// ToRead are the options of an activity that only reads and that a command waits
// for: repeated until it succeeds, from a second up to a minute apart.
func ToRead(summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:           TaskQueue,
		StartToCloseTimeout: 30 * time.Second,
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
