package tms

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/activity"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// about is implemented by the inputs of activities that change something.
type about interface{ About() string }

// outcome is implemented by pointers to the results of activities that change
// something.
type outcome[R any] interface {
	*R
	Outcome() *activities.Sending
}

// once makes an activity of a function that changes something. Every change passes
// through once. once calls the function only where it is proven that nothing was sent for
// this activity before. Otherwise the fate of the change is unknown, and nothing is sent.
func once[I about, R any, P outcome[R]](a *Activities, change func(context.Context, I) (R, error)) func(context.Context, I) (R, error) {
	return func(ctx context.Context, in I) (R, error) {
		var result R
		var err error
		if why := a.sentBefore(ctx); why != "" {
			*P(&result).Outcome() = activities.Sending{
				Fate: opportunity.FateUnknown, Reason: activities.ReasonAttempt, Error: opportunity.Failf(opportunity.Undecided, "nothing was sent: %s", why),
			}
		} else if why := a.permitted(ctx); why != nil {
			// This comes before the change asks for its epoch: a worker that has not proven whose
			// namespace it serves has not read the epoch either.
			*P(&result).Outcome() = withheld(why)
		} else {
			result, err = change(ctx, in)
		}
		P(&result).Outcome().About = in.About()
		return result, err
	}
}

// promptly is the longest delay of a start after the scheduling that needs no proof. An
// operator needs three requests to make an activity start twice, and these take longer.
const promptly = 10 * time.Millisecond

// sentBefore returns why the change of the activity may have been sent before; "" says
// that the change was not sent. An activity that changes something is scheduled with one
// attempt. Temporal starts the activity a second time only where somebody changed its
// options, or started it again, with update-options, reset or unpause.
func (a *Activities) sentBefore(ctx context.Context) string {
	info := activity.GetInfo(ctx)
	switch {
	case info.Attempt != 1:
		return "this is not the first attempt of the activity"
	case info.RetryPolicy != nil && info.RetryPolicy.MaximumAttempts != 1:
		return "the number of attempts of the activity was changed"
	case !a.begun.first(info):
		return "this worker has started the activity before"
	case info.StartedTime.Sub(info.ScheduledTime) <= promptly:
		return ""
	}
	// The task does not hold everything: a reset of an activity sets the count of its
	// attempts back to 1, and the task holds the time-outs as they were scheduled.
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	described, err := a.temporal.DescribeWorkflow(ctx, info.WorkflowExecution.ID, info.WorkflowExecution.RunID)
	if err != nil {
		return "Temporal does not tell whether the activity was started before"
	}
	for _, pending := range described.RawResponse.GetPendingActivities() {
		if pending.GetActivityId() == info.ActivityID {
			return changed(info, pending)
		}
	}
	return "the activity has been completed by somebody else"
}

// changed returns how the activity differs from the scheduled activity; "" says that it
// does not differ.
func changed(info activity.Info, now *workflow.PendingActivityInfo) string {
	options := now.GetActivityOptions()
	switch {
	case now.GetAttempt() != 1, now.GetLastAttemptCompleteTime() != nil, !now.GetScheduledTime().AsTime().Equal(info.ScheduledTime):
		return "the activity was started before"
	case now.GetMaximumAttempts() != 1,
		options != nil && options.GetStartToCloseTimeout().AsDuration() != info.StartToCloseTimeout,
		options != nil && options.GetScheduleToCloseTimeout().AsDuration() != info.ScheduleToCloseTimeout:
		return "the options of the activity were changed"
	}
	return ""
}

// maxBegun is how many started activities a worker remembers.
const maxBegun = 20_000

// begun are the latest activities that this worker has started.
type begun struct {
	mu    sync.Mutex
	known map[begunKey]bool
	order []begunKey
}

type begunKey struct {
	run, activity string
	scheduled     int64
}

// first notes the start of the activity, and reports whether this is the first start.
func (b *begun) first(info activity.Info) bool {
	key := begunKey{info.WorkflowExecution.RunID, info.ActivityID, info.ScheduledTime.UnixNano()}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.known[key] {
		return false
	}
	if b.known == nil {
		b.known = make(map[begunKey]bool)
	}
	if len(b.order) >= maxBegun {
		delete(b.known, b.order[0])
		b.order = b.order[1:]
	}
	b.known[key] = true
	b.order = append(b.order, key)
	return true
}
