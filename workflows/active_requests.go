package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/opportunity"
)

// trackRequest adds the request with the context's options to the run's active requests, until the
// caller calls done. The active requests are not part of the state, because a run that continues as
// new has no active request.
func (r *run) trackRequest(ctx workflow.Context) (done func()) {
	one := &opportunity.WaitInfo{
		Kind: opportunity.AttentionAPI, Reason: "a request is under way: " + workflow.GetActivityOptions(ctx).Summary, Since: workflow.Now(ctx),
	}
	r.activeRequests = append(r.activeRequests, one)
	return func() {
		r.activeRequests = slices.DeleteFunc(r.activeRequests, func(other *opportunity.WaitInfo) bool { return other == one })
	}
}

// If messages are queued and the state has no wait, the view shows the oldest active request as the
// wait.
func (r *run) view() opportunity.View {
	view := r.state.View()
	if view.Wait == nil && len(view.Queue) > 0 && len(r.activeRequests) > 0 {
		oldest := *r.activeRequests[0]
		view.Wait = &oldest
	}
	return view
}
