package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
)

// handleServerErrors handles a server error of the API, after it is known that a part of the
// request took no effect. It waits before that part is sent again, and parks a command that alone
// keeps failing.
func (r *run) handleServerErrors(ctx workflow.Context, batch []exchange.Change, sending activities.CallResult) {
	if !sending.ServerError || !r.state.ApplyServerError(batch, workflow.Now(ctx)) {
		return
	}
	reason := activities.ReasonServerErrors
	if request, due := r.state.NextToPark(batch, workflow.Now(ctx)); due {
		if r.isAPIAnswering(ctx) {
			r.state.Park(request, workflow.Now(ctx))
			r.resetBackOff()
			return
		}
		reason = activities.ReasonUnreachable // the API does not answer the probe either
	}
	// A cancellation ends the wait; the caller checks the context.
	_ = r.backOff(ctx, activities.CallResult{Reason: reason})
}

// isAPIAnswering reports whether the API answers at all.
func (r *run) isAPIAnswering(ctx workflow.Context) bool {
	options := r.withFairness(activities.ProbeOptions("check whether the API responds"))
	asking, stop := workflow.WithCancel(workflow.WithActivityOptions(ctx, options))
	defer stop()
	var result activities.ProbeResult
	answer := workflow.ExecuteActivity(asking, activities.ProbeAPI)
	if awaitLost(ctx, answer, options, neverCut) || answer.Get(ctx, &result) != nil {
		return false
	}
	return result.Answered || !hasChange(ctx, changeProof)
}
