package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// heedErrors handles an error of the API's own, once it is known that a part of the request took no
// effect. It waits before that part is sent again, and parks a command that alone keeps failing.
func (r *run) heedErrors(ctx workflow.Context, batch []opportunity.Mutation, sending activities.Sending) {
	if !sending.Failing || !r.state.Erred(batch, workflow.Now(ctx)) {
		return
	}
	reason := activities.ReasonErrors
	if request, due := r.state.ParkDue(batch, workflow.Now(ctx)); due {
		if r.probe(ctx) {
			r.state.Park(request, workflow.Now(ctx))
			r.recovered()
			return
		}
		reason = activities.ReasonUnreachable // the API answers nothing else either
	}
	// A cancellation ends the wait; the caller looks at the context itself.
	_ = r.backOff(ctx, activities.Sending{Reason: reason})
}

// probe reports whether the API answers at all.
func (r *run) probe(ctx workflow.Context) bool {
	options := r.fairly(activities.ToProbe("ask whether the API answers"))
	asking, stop := workflow.WithCancel(workflow.WithActivityOptions(ctx, options))
	defer stop()
	var result activities.ProbeResult
	answer := workflow.ExecuteActivity(asking, activities.ProbeAPI)
	if isLost(ctx, answer, options, never) || answer.Get(ctx, &result) != nil {
		return false
	}
	return result.Answered || !since(ctx, changeProof)
}
