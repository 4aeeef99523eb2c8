package runs

import (
	"context"

	"go.temporal.io/sdk/activity"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
)

// DetectReset reports whether the server's run id differs from believed, the run id that the
// workflow has stored. A workflow cannot detect that it was reset, because the history of the new
// run begins like the history of the old run.
func DetectReset(ctx context.Context, believed string) (string, bool) {
	run := CurrentID(ctx)
	return run, believed != "" && believed != run
}

type epochKey struct{}

// WithEpoch returns a context in which CurrentID uses the given epoch.
func WithEpoch(ctx context.Context, epoch func() string) context.Context {
	return context.WithValue(ctx, epochKey{}, epoch)
}

// CurrentID returns the name that EpochRunID gives to the current run in the epoch of the
// namespace.
func CurrentID(ctx context.Context) string {
	run := activity.GetInfo(ctx).WorkflowExecution.RunID
	if epoch, is := ctx.Value(epochKey{}).(func() string); is {
		return activities.EpochRunID(epoch(), run)
	}
	return run
}

// ResetResult returns the result of a request that the worker did not send because the run was
// reset.
func ResetResult(run string) activities.CallResult {
	return activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonReset, RunID: run}
}
