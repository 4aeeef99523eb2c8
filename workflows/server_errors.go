package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
)

// The run handles a server error of the API after the run knows which changes of the batch were not
// made. The run waits before it sends these changes again. If a command keeps failing while the API
// responds to a probe, the run parks the command.
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
		reason = activities.ReasonUnreachable // the API does not respond to the probe either
	}
	_ = r.backOff(ctx, activities.CallResult{Reason: reason})
}

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
