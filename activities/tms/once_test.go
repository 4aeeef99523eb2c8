package tms_test

import (
	"context"
	"errors"
	"testing"
	"time"

	activitypb "go.temporal.io/api/activity/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/opportunity"
)

// task starts activities as the server does, with the info that the function returns.
type task struct {
	interceptor.WorkerInterceptorBase
	info func(activity.Info) activity.Info
}

type taskIn struct {
	interceptor.ActivityInboundInterceptorBase
	task *task
}

type taskOut struct {
	interceptor.ActivityOutboundInterceptorBase
	task *task
}

func (t *task) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	in := &taskIn{task: t}
	in.Next = next
	return in
}

func (i *taskIn) Init(next interceptor.ActivityOutboundInterceptor) error {
	out := &taskOut{task: i.task}
	out.Next = next
	return i.Next.Init(out)
}

func (o *taskOut) GetInfo(ctx context.Context) activity.Info { return o.task.info(o.Next.GetInfo(ctx)) }

// starts makes the server start the activities of the room with the info.
func (r *room) starts(info func(activity.Info) activity.Info) {
	r.env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&task{info: info}}})
}

// A change is sent only for an activity that was not started before and whose options are the scheduled ones.
// For any other activity nothing is sent, and the fate of the change is unknown.
func TestAChangeIsSentOnce(t *testing.T) {
	scheduled := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	const timeout = 35 * time.Second
	pending := func(change func(*workflowpb.PendingActivityInfo)) *workflowpb.PendingActivityInfo {
		p := &workflowpb.PendingActivityInfo{
			ActivityId: "7", Attempt: 1, MaximumAttempts: 1, ScheduledTime: timestamppb.New(scheduled),
			ActivityOptions: &activitypb.ActivityOptions{StartToCloseTimeout: durationpb.New(timeout)},
		}
		if change != nil {
			change(p)
		}
		return p
	}
	late := func(info activity.Info) activity.Info { return info }
	for name, c := range map[string]struct {
		info    func(activity.Info) activity.Info
		pending *workflowpb.PendingActivityInfo
		err     error
		twice   bool
		sends   bool
	}{
		"as scheduled": {info: late, pending: pending(nil), sends: true},
		"at once": {info: func(info activity.Info) activity.Info {
			info.ScheduledTime = info.StartedTime
			return info
		}, sends: true},
		"another attempt":  {info: func(info activity.Info) activity.Info { info.Attempt = 2; return info }, pending: pending(nil)},
		"further attempts": {info: func(info activity.Info) activity.Info { info.RetryPolicy.MaximumAttempts = 3; return info }, pending: pending(nil)},
		"any number of attempts": {info: func(info activity.Info) activity.Info {
			info.RetryPolicy = &temporal.RetryPolicy{}
			return info
		}, pending: pending(nil)},
		"started twice by this worker": {info: late, pending: pending(nil), twice: true, sends: true},
		"further attempts since":       {info: late, pending: pending(func(p *workflowpb.PendingActivityInfo) { p.MaximumAttempts = 3 })},
		"another time-out": {info: late, pending: pending(func(p *workflowpb.PendingActivityInfo) {
			p.ActivityOptions.StartToCloseTimeout = durationpb.New(2 * time.Second)
		})},
		"a time-out more": {info: late, pending: pending(func(p *workflowpb.PendingActivityInfo) {
			p.ActivityOptions.ScheduleToCloseTimeout = durationpb.New(time.Hour)
		})},
		"failed by hand and reset": {info: late, pending: pending(func(p *workflowpb.PendingActivityInfo) {
			p.LastAttemptCompleteTime = timestamppb.New(scheduled.Add(time.Second))
		})},
		"timed out and reset": {info: late, pending: pending(func(p *workflowpb.PendingActivityInfo) {
			p.ScheduledTime = timestamppb.New(scheduled.Add(time.Second))
		})},
		"completed by hand":        {info: late, pending: &workflowpb.PendingActivityInfo{ActivityId: "8"}},
		"Temporal does not answer": {info: late, err: errors.New("down")},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t, tms.Mark{})
			record := r.created("A-1")
			r.namespace.described = func() (*workflowservice.DescribeWorkflowExecutionResponse, error) {
				return &workflowservice.DescribeWorkflowExecutionResponse{PendingActivities: []*workflowpb.PendingActivityInfo{c.pending}}, c.err
			}
			r.starts(func(info activity.Info) activity.Info {
				info.ActivityID, info.RetryPolicy = "7", &temporal.RetryPolicy{MaximumAttempts: 1}
				info.ScheduledTime, info.StartedTime = scheduled, time.Now()
				info.StartToCloseTimeout, info.ScheduleToCloseTimeout = timeout, 0
				return c.info(info)
			})
			r.requested()
			before := len(r.read(record).Interests)
			out := r.apply(record, interest(course, 1))
			want, added := opportunity.FateUnknown, 0
			if c.sends {
				want, added = opportunity.FateDone, 1
			}
			if out.Fate != want || out.About != string(record) {
				t.Errorf("got %+v; want %s, about the record", out, want)
			}
			if c.twice {
				if out = r.apply(record, interest(course, 1)); out.Fate != opportunity.FateUnknown {
					t.Errorf("got %+v for the second time; want it unknown", out)
				}
			}
			if got := len(r.read(record).Interests) - before; got != added {
				t.Errorf("%d interests were added; want %d", got, added)
			}
		})
	}
}

// Every activity that changes something refuses a second attempt.
func TestEveryChangeIsSentOnce(t *testing.T) {
	r, s, _ := serviced(t)
	record := r.created("A-1")
	changes := r.changes(record)
	r.starts(func(info activity.Info) activity.Info { info.Attempt = 2; return info })
	for name, change := range changes {
		r.requested()
		if out := do[activities.Sending](r, change.activity, change.in); out.Fate != opportunity.FateUnknown || out.About == "" {
			t.Errorf("%s: got %+v; want it unknown, and what it is about", name, out)
		}
		if n := r.requested() + len(s.taken()); n != 0 {
			t.Errorf("%s: %d requests were sent", name, n)
		}
	}
}
