package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/opportunity"
)

// updateWaiters limits how long updates wait. The server permits only ten open updates for each
// run, so each update must return in time, even when the outcome is pending. All updates share one
// timer, because each timer costs one billable action. The timer is never cancelled, so that later
// updates can share the timer.
type updateWaiters struct {
	deadlines    map[string]time.Time // by update id: when the update must return
	timerRunning bool                 // whether the shared timer is set
}

// await waits for the condition, at most MaxUpdateWait, and reports whether the condition became
// true. await does not wait when MaxWaitingUpdates updates wait already. A cancellation of the
// workflow does not end the wait, because the cancelled run gives every waiting command an outcome.
func (a *updateWaiters) await(ctx workflow.Context, condition func() bool) (bool, error) {
	if condition() || len(a.deadlines) >= opportunity.MaxWaitingUpdates {
		return condition(), nil
	}
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	update := workflow.GetCurrentUpdateInfo(ctx).ID
	due := workflow.Now(ctx).Add(opportunity.MaxUpdateWait)
	a.deadlines[update] = due
	defer delete(a.deadlines, update)
	if !a.timerRunning {
		a.timerRunning = true
		workflow.GoNamed(ctx, "update deadlines", a.wake)
	}
	err := workflow.Await(ctx, func() bool { return condition() || !workflow.Now(ctx).Before(due) })
	return condition(), err
}

// wake wakes the run at the deadline of each waiting update, and returns when no update waits.
func (a *updateWaiters) wake(ctx workflow.Context) {
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	defer func() { a.timerRunning = false }()
	for {
		next, some := a.nextDeadline(workflow.Now(ctx))
		if !some {
			return
		}
		timer := workflow.NewTimerWithOptions(ctx, next.Sub(workflow.Now(ctx)), workflow.TimerOptions{Summary: "wait until an open update must return"})
		if err := timer.Get(ctx, nil); err != nil {
			return // cannot be cancelled
		}
	}
}

func (a *updateWaiters) nextDeadline(now time.Time) (time.Time, bool) {
	var earliest time.Time
	//workflowcheck:ignore the minimum does not depend on the order
	for _, due := range a.deadlines {
		if due.After(now) && (earliest.IsZero() || due.Before(earliest)) {
			earliest = due
		}
	}
	return earliest, !earliest.IsZero()
}
