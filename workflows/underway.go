package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/opportunity"
)

// begin notes that the request with the context's options is under way, until done is called. The
// note is no part of the state: a run that continues as new has no request under way.
func (r *run) begin(ctx workflow.Context) (done func()) {
	one := &opportunity.Wait{
		Word: opportunity.AttentionAPI, Reason: "a request is under way: " + workflow.GetActivityOptions(ctx).Summary, Since: workflow.Now(ctx),
	}
	r.underWay = append(r.underWay, one)
	return func() {
		r.underWay = slices.DeleteFunc(r.underWay, func(other *opportunity.Wait) bool { return other == one })
	}
}

// view returns the view, with the request that the messages in the queue wait for.
func (r *run) view() opportunity.View {
	view := r.state.View()
	if view.Waits == nil && len(view.Queue) > 0 && len(r.underWay) > 0 {
		oldest := *r.underWay[0]
		view.Waits = &oldest
	}
	return view
}
