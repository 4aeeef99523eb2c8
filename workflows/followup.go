package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/opportunity"
)

// followUp begins a follow-up that is due. The record is looked at first, however
// long ago the follow-up was planned: what somebody did about it meanwhile leaves
// nothing to follow up on. What was accepted meanwhile goes first, and may do so too.
func (r *run) followUp(ctx workflow.Context, due opportunity.FollowUp) {
	if !r.planAhead(ctx) || r.interrupted(ctx) || r.overtaken(ctx) {
		return
	}
	if now, is := r.state.Overdue(workflow.Now(ctx)); is && now.Key == due.Key {
		r.state.FollowUp(now, workflow.Now(ctx))
	}
}

// overtaken reports whether a command was accepted that a follow-up must not go before.
func (r *run) overtaken(ctx workflow.Context) bool {
	return (r.arrivals.waiting() || len(r.state.Queue) > 0) &&
		since(ctx, changeFollowUps)
}
