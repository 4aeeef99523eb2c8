package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/workflow"
)

// A Temporal server can lose an activity. Version 1.32 does so with an activity that no worker had taken when the run was
// reset: the new run has the activity, and the server neither offers it to a worker nor times it out, once the time
// for a worker to take it is over. Without a remedy the run would wait for the activity for ever.

// lostAfter is how long after the last of its time-outs an activity has ended, on a server that has not lost it.
const lostAfter = time.Minute

// errLost is why a read has no answer that the server has lost.
var errLost = errors.New("the server has lost the activity")

// isLost waits for the end of the activity, or until it is cut short, and reports whether the server has lost it. It needs no timer: it notices
// when anything else, such as a message, wakes the run after the time-outs of the activity.
func isLost(ctx workflow.Context, answer workflow.Future, options workflow.ActivityOptions, cut func() bool) bool {
	within := options.ScheduleToCloseTimeout
	if within == 0 {
		within = options.ScheduleToStartTimeout + options.StartToCloseTimeout
	}
	by := workflow.Now(ctx).Add(within + lostAfter)
	// A cancellation ends the activity, and with it the wait.
	waiting, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	_ = workflow.Await(waiting, func() bool { return answer.IsReady() || cut() || workflow.Now(ctx).After(by) })
	return !answer.IsReady() && !cut() && since(ctx, changeLost)
}

// never cuts nothing short.
func never() bool { return false }
