package runs

import (
	"context"

	"go.temporal.io/sdk/activity"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
)

// DetectReset reports whether the server's id of the current run differs from believed, the id that
// the workflow has stored. DetectReset also returns the server's id of the run. A workflow cannot
// see that it was reset, because its history is the same as before. The activity gets the current
// run id from the server.
func DetectReset(ctx context.Context, believed string) (string, bool) {
	run := CurrentID(ctx)
	return run, believed != "" && believed != run
}

type epochKey struct{}

// WithEpoch returns a context for the activities of a worker. The activities call the function
// epoch to get the epoch of the namespace.
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

// ResetResult returns the result of a request that was not sent, because the run was reset. run is
// the server's id of the run.
func ResetResult(run string) activities.CallResult {
	return activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonReset, RunID: run}
}
