package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/workflow"
)

// A Temporal server can lose an activity. Version 1.32 loses an activity that no worker had taken
// when the run was reset. The new run has the activity in its history. After the schedule-to-start
// time-out, the server neither offers the activity to a worker nor times it out. Without
// errActivityLost the run would wait for the activity for ever.

// lostActivityAfter is how long after the last time-out of an activity the run still waits for its
// end. If the activity has not ended by then, the server has lost the activity.
const lostActivityAfter = time.Minute

var errActivityLost = errors.New("the Temporal server has lost the activity")

// awaitLost waits until the activity ends or cut returns true, and reports whether the server has
// lost the activity. awaitLost starts no timer. awaitLost compares the time with the time-outs of
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

// neverCut is the parameter cut of awaitLost for a wait that nothing ends early.
func neverCut() bool { return false }
