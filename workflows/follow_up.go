package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// startFollowUp always plans the follow-ups again first, because a change by a person since the
// last plan may make the follow-up needless. A command that was accepted since the last plan is
// executed first, and may also make the follow-up needless.
func (r *run) startFollowUp(ctx workflow.Context, due exchange.FollowUp) {
	if !r.planFollowUps(ctx) || r.isInterrupted(ctx) || r.isOvertaken(ctx) {
		return
	}
	if now, is := r.state.DueFollowUp(workflow.Now(ctx)); is && now.Key == due.Key {
		r.state.StartFollowUp(now, workflow.Now(ctx))
		isUnverifiable := now.Action.Kind == opportunity.ActionEmail || now.Action.Kind == opportunity.ActionLog
		if isUnverifiable && r.state.StepBeforeReset && hasChange(ctx, changeMailsAfterReset) {
			r.state.BlockStartedFollowUp(workflow.Now(ctx))
		}
	}
}

// isOvertaken reports whether an accepted command must be executed before a follow-up.
func (r *run) isOvertaken(ctx workflow.Context) bool {
	return (r.signals.hasNext() || len(r.state.Queue) > 0) &&
		hasChange(ctx, changeFollowUps)
}
