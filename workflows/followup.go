package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/opportunity"
)

// followUp begins a follow-up that is due. The record is looked at first, however
// long ago the follow-up was planned: what somebody did about it meanwhile leaves
// nothing to follow up on.
func (r *run) followUp(ctx workflow.Context, due opportunity.FollowUp) {
	if !r.planAhead(ctx) || r.interrupted(ctx) {
		return
	}
	if now, is := r.state.Overdue(workflow.Now(ctx)); is && now.Key == due.Key {
		r.state.FollowUp(now, workflow.Now(ctx))
	}
}
