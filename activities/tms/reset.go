package tms

import (
	"context"

	"go.temporal.io/sdk/activity"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// anotherRun reports whether the run that asks is another than the one its
// workflow takes itself for, and which. A workflow cannot see that it was reset:
// its history says the same as before. The server, which hands the activity out,
// knows the run by its own id.
func anotherRun(ctx context.Context, believed string) (string, bool) {
	run := runOf(ctx)
	return run, believed != "" && believed != run
}

// runOf is the id of the run that asks.
func runOf(ctx context.Context) string { return activity.GetInfo(ctx).WorkflowExecution.RunID }

func reset(run string) activities.Sending {
	return activities.Sending{Fate: opportunity.FateNotSent, Reason: activities.ReasonReset, Run: run}
}
