package tms

import (
	"context"

	"go.temporal.io/sdk/activity"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
)

// detectReset reports whether the run that asks differs from the run that the workflow believes
// to be, and returns its id. A workflow cannot see that it was reset, because its history is
// the same as before. The server, which hands out the activity, knows the current id of the
// run.
func detectReset(ctx context.Context, believed string) (string, bool) {
	run := currentRunID(ctx)
	return run, believed != "" && believed != run
}

type epochKey struct{}

// WithEpoch returns a context for the activities of a worker, in which the function epoch
// returns the epoch of the namespace.
func WithEpoch(ctx context.Context, epoch func() string) context.Context {
	return context.WithValue(ctx, epochKey{}, epoch)
}

// currentRunID returns the name of the run that asks, in the epoch of the namespace.
func currentRunID(ctx context.Context) string {
	run := activity.GetInfo(ctx).WorkflowExecution.RunID
	if epoch, is := ctx.Value(epochKey{}).(func() string); is {
		return activities.EpochRunID(epoch(), run)
	}
	return run
}

func resetResult(run string) activities.CallResult {
	return activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonReset, RunID: run}
}
