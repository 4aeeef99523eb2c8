package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"
)

type wakeTimer struct {
	at    time.Time
	timer workflow.Future
}

// wakeTimers are the timers that wake a run for background work. A timer is never cancelled. When a
// timer fires before any work is due, the run starts another timer. A command that postpones the
// next work therefore adds no history event.
type wakeTimers []wakeTimer

// await waits until stirs returns true or a timer fires, at most until the time wake. await starts
// a timer only if no running timer fires by wake.
func (a *wakeTimers) await(ctx workflow.Context, wake time.Time, stirs func() bool) error {
	rings := func(one wakeTimer) bool { return one.timer.IsReady() }
	*a = slices.DeleteFunc(*a, rings)
	if !slices.ContainsFunc(*a, func(one wakeTimer) bool { return !one.at.After(wake) }) {
		timer := workflow.NewTimerWithOptions(ctx, wake.Sub(workflow.Now(ctx)), workflow.TimerOptions{Summary: "wait until the next task is due"})
		*a = append(*a, wakeTimer{at: wake, timer: timer})
	}
	return workflow.Await(ctx, func() bool { return slices.ContainsFunc(*a, rings) || stirs() })
}
