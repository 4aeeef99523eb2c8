package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/workflow"
)

// A Temporal server can lose an activity. Version 1.32 loses an activity that no worker has
// received at the time of a reset. The run after the reset has the lost activity in its history.
// The server does not offer the lost activity to a worker, and does not time the activity out after
// the schedule-to-start time-out. Without errActivityLost, the run would wait for the lost activity
// for ever.

// lostActivityAfter is how long after the last time-out of an activity the run still waits for the
// end of the activity. If the activity has not ended after lostActivityAfter, the server has lost
// the activity.
const lostActivityAfter = time.Minute

var errActivityLost = errors.New("the Temporal server has lost the activity")

// awaitLost waits until the activity ends or cut returns true, and reports whether the server has
// lost the activity. Instead of starting a timer, awaitLost compares the time with the time-outs of
// the activity whenever a message or another timer wakes the run.
func awaitLost(ctx workflow.Context, answer workflow.Future, options workflow.ActivityOptions, cut func() bool) bool {
	within := options.ScheduleToCloseTimeout
	if within == 0 {
		within = options.ScheduleToStartTimeout + options.StartToCloseTimeout
	}
	by := workflow.Now(ctx).Add(within + lostActivityAfter)
	// A cancellation ends the activity, so the wait itself need not be cancelled.
	waiting, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	_ = workflow.Await(waiting, func() bool { return answer.IsReady() || cut() || workflow.Now(ctx).After(by) })
	return !answer.IsReady() && !cut() && hasChange(ctx, changeGiveUpLostActivities)
}

func neverCut() bool { return false }
