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
	"github.com/oppflow/oppflow/exchange"
)

// fakeActivityInfo starts activities as the Temporal server does, with the activity info that the
// function returns.
type fakeActivityInfo struct {
	interceptor.WorkerInterceptorBase
	info func(activity.Info) activity.Info
}

type fakeActivityInfoInbound struct {
	interceptor.ActivityInboundInterceptorBase
	task *fakeActivityInfo
}

type fakeActivityInfoOutbound struct {
	interceptor.ActivityOutboundInterceptorBase
	task *fakeActivityInfo
}

func (t *fakeActivityInfo) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	in := &fakeActivityInfoInbound{task: t}
	in.Next = next
	return in
}

func (i *fakeActivityInfoInbound) Init(next interceptor.ActivityOutboundInterceptor) error {
	out := &fakeActivityInfoOutbound{task: i.task}
	out.Next = next
	return i.Next.Init(out)
}

func (o *fakeActivityInfoOutbound) GetInfo(ctx context.Context) activity.Info {
	return o.task.info(o.Next.GetInfo(ctx))
}

func (r *fixture) setActivityInfo(info func(activity.Info) activity.Info) {
	r.env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&fakeActivityInfo{info: info}}})
}

// The worker sends a change only in the first start of an activity, and only if nobody changed the
// options of the activity.
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
			r := newFixture(t, tms.ReferenceTag{})
			record := r.createRecord("A-1")
			r.namespace.described = func() (*workflowservice.DescribeWorkflowExecutionResponse, error) {
				return &workflowservice.DescribeWorkflowExecutionResponse{PendingActivities: []*workflowpb.PendingActivityInfo{c.pending}}, c.err
			}
			r.setActivityInfo(func(info activity.Info) activity.Info {
				info.ActivityID, info.RetryPolicy = "7", &temporal.RetryPolicy{MaximumAttempts: 1}
				info.ScheduledTime, info.StartedTime = scheduled, time.Now()
				info.StartToCloseTimeout, info.ScheduleToCloseTimeout = timeout, 0
				return c.info(info)
			})
			r.requestCount()
			before := len(r.read(record).Interests)
			out := r.apply(record, interest(course, 1))
			want, added := exchange.StatusUnknown, 0
			if c.sends {
				want, added = exchange.StatusDone, 1
			}
			if out.Status != want || out.Subject != string(record) {
				t.Errorf("got %+v; want %s, about the record", out, want)
			}
			if c.twice {
				if out = r.apply(record, interest(course, 1)); out.Status != exchange.StatusUnknown {
					t.Errorf("got %+v for the second time; want it unknown", out)
				}
			}
			if got := len(r.read(record).Interests) - before; got != added {
				t.Errorf("%d interests were added; want %d", got, added)
			}
		})
	}
}

func TestEveryChangeIsSentOnce(t *testing.T) {
	r, s, _ := newServiceFixture(t)
	record := r.createRecord("A-1")
	changes := r.changeInputs(record)
	r.setActivityInfo(func(info activity.Info) activity.Info { info.Attempt = 2; return info })
	for name, change := range changes {
		r.requestCount()
		if out := mustRunActivity[activities.CallResult](r, change.activity, change.in); out.Status != exchange.StatusUnknown || out.Subject == "" {
			t.Errorf("%s: got %+v; want it unknown, and what it is about", name, out)
		}
		if n := r.requestCount() + len(s.takeRequests()); n != 0 {
			t.Errorf("%s: %d requests were sent", name, n)
		}
	}
}
