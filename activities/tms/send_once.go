package tms

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/activity"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

type changeInput interface{ Subject() string }

type changeOutput[R any] interface {
	*R
	AsCallResult() *activities.CallResult
}

// sendOnce returns an activity that calls the function change at most once. Only activities that
// sendOnce returns may send a request that changes something. If an earlier attempt may have sent
// the request, the status of the change is unknown, and this attempt sends nothing.
func sendOnce[I changeInput, R any, P changeOutput[R]](a *Activities, change func(context.Context, I) (R, error)) func(context.Context, I) (R, error) {
	return func(ctx context.Context, in I) (R, error) {
		var result R
		var err error
		if why := a.possiblySentReason(ctx); why != "" {
			*P(&result).AsCallResult() = activities.CallResult{
				Status: exchange.StatusUnknown, Reason: activities.ReasonAttemptNotEnded, Error: opportunity.Failf(opportunity.Undecided, "nothing was sent: %s", why),
			}
		} else if why := a.checkPermission(ctx); why != nil {
			// The worker checks its permission before it calls change, because change needs the epoch, which
			// the worker reads only after it has proven which tenant owns the namespace.
			*P(&result).AsCallResult() = notPermitted(why)
		} else {
			result, err = change(ctx, in)
		}
		P(&result).AsCallResult().Subject = in.Subject()
		return result, err
	}
}

// promptStart is the longest delay between scheduling and start for which the worker needs no proof
// that the activity starts for the first time. To start an activity twice, an operator needs three
// requests, and three requests take longer than promptStart.
const promptStart = 10 * time.Millisecond

// possiblySentReason returns why an earlier attempt may have sent the change, or "" if no earlier
// attempt can have sent the change. Temporal starts the activity a second time only if somebody
// changed its options with update-options, or started the activity again with reset or unpause.
func (a *Activities) possiblySentReason(ctx context.Context) string {
	info := activity.GetInfo(ctx)
	switch {
	case info.Attempt != 1:
		return "this is not the first attempt of the activity"
	case info.RetryPolicy != nil && info.RetryPolicy.MaximumAttempts != 1:
		return "the maximum number of attempts of the activity was changed"
	case !a.startedActivities.addIfNew(info):
		return "this worker has started the activity before"
	case info.StartedTime.Sub(info.ScheduledTime) <= promptStart:
		return ""
	}
	// The activity task alone does not show whether Temporal started the activity before. A reset of
	// the activity sets the attempt count back to 1, and the task contains the original time-outs even
	// if somebody changed them.
	ctx, cancel := context.WithTimeout(ctx, earlierRunTimeout)
	defer cancel()
	described, err := a.temporal.DescribeWorkflow(ctx, info.WorkflowExecution.ID, info.WorkflowExecution.RunID)
	if err != nil {
		return "it is unknown whether the activity was started before"
	}
	for _, pending := range described.RawResponse.GetPendingActivities() {
		if pending.GetActivityId() == info.ActivityID {
			return activityDifference(info, pending)
		}
	}
	return "the server no longer lists the activity, so somebody else completed the activity"
}

func activityDifference(info activity.Info, now *workflow.PendingActivityInfo) string {
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

const maxStartedActivities = 20_000

type startedActivities struct {
	mu     sync.Mutex
	starts map[activityStart]bool
	order  []activityStart
}

type activityStart struct {
	run, activity string
	scheduled     int64
}

func (b *startedActivities) addIfNew(info activity.Info) bool {
	key := activityStart{info.WorkflowExecution.RunID, info.ActivityID, info.ScheduledTime.UnixNano()}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.starts[key] {
		return false
	}
	if b.starts == nil {
		b.starts = make(map[activityStart]bool)
	}
	if len(b.order) >= maxStartedActivities {
		delete(b.starts, b.order[0])
		b.order = b.order[1:]
	}
	b.starts[key] = true
	b.order = append(b.order, key)
	return true
}
