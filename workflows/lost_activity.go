package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/workflow"
)

// A Temporal server can lose an activity. Version 1.32 loses an activity that no worker had taken
// when the run was reset. The new run has the activity; after the schedule-to-start time-out, the
// server neither offers the activity to a worker nor times it out. Without errActivityLost the run
// would wait for the activity for ever.

// lostActivityAfter is how long after its last time-out an activity ends at the latest, unless the
// server has lost the activity.
const lostActivityAfter = time.Minute

// errActivityLost is the error of a read whose activity the server has lost.
var errActivityLost = errors.New("the server has lost the activity")

// awaitLost waits until the activity ends or is cut short, and reports whether the server has lost
// the activity. It needs no timer, because it checks the time-outs of the activity whenever
// something else, such as a message, wakes the run.
func awaitLost(ctx workflow.Context, answer workflow.Future, options workflow.ActivityOptions, cut func() bool) bool {
	within := options.ScheduleToCloseTimeout
	if within == 0 {
		within = options.ScheduleToStartTimeout + options.StartToCloseTimeout
	}
	by := workflow.Now(ctx).Add(within + lostActivityAfter)
	// A cancellation ends the activity, and the end of the activity ends the wait.
	waiting, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	_ = workflow.Await(waiting, func() bool { return answer.IsReady() || cut() || workflow.Now(ctx).After(by) })
	return !answer.IsReady() && !cut() && hasChange(ctx, changeGiveUpLostActivities)
}

// neverCut is a condition that cuts nothing short.
func neverCut() bool { return false }
