package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/opportunity"
)

// followUp begins a follow-up that is due. It looks at the record first, however long ago the
// follow-up was planned. What a person did in the meantime may leave nothing to follow up on. A
// command that was accepted in the meantime goes first, and may also leave nothing to follow up on.
func (r *run) followUp(ctx workflow.Context, due opportunity.FollowUp) {
	if !r.planAhead(ctx) || r.interrupted(ctx) || r.overtaken(ctx) {
		return
	}
	if now, is := r.state.Overdue(workflow.Now(ctx)); is && now.Key == due.Key {
		r.state.FollowUp(now, workflow.Now(ctx))
	}
}

// overtaken reports whether an accepted command waits that must go before a follow-up.
func (r *run) overtaken(ctx workflow.Context) bool {
	return (r.arrivals.waiting() || len(r.state.Queue) > 0) &&
		since(ctx, changeFollowUps)
}
