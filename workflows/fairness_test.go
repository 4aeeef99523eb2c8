package workflows_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// Every activity has a fairness key: the source of the request, or the region if the request has no
// source. The activities of an urgent start have priority over all other activities until the
// record exists.
func TestActivitiesSayForWhomTheyAre(t *testing.T) {
	type turn struct {
		activity, key string
		priority      int
	}
	for name, test := range map[string]struct {
		start opportunity.Start
		want  []turn
	}{
		"neither source nor urgency": {start, []turn{
			{activities.CreateOpportunity, "UK", 2},
			{activities.ApplyCommands, "shop", 2},
			{activities.ApplyCommands, "UK", 2},
		}},
		"an urgent one of a source": {opportunity.Start{Name: start.Name, Region: "UK", Source: "sales", Urgent: true}, []turn{
			{activities.CreateOpportunity, "sales", 1},
			{activities.ApplyCommands, "shop", 2},
			{activities.ApplyCommands, "UK", 2},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []turn
			s := newFixtureWith(t, &priorityRecorder{record: func(activity string, p temporal.Priority) {
				got = append(got, turn{activity, p.FairnessKey, p.PriorityKey})
			}})
			command := opportunity.WithSource(add(1), "shop")
			s.at(time.Second, func() { s.update("a", "addInterests", command) })
			s.at(time.Minute, func() { s.update("b", "addInterests", add(2)) })
			s.at(2*time.Minute, s.env.CancelWorkflow)
			s.run(test.start, nil)
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(turn{})); diff != "" {
				t.Errorf("turns (-want +got):\n%s", diff)
			}
		})
	}
}

type priorityRecorder struct {
	interceptor.WorkerInterceptorBase
	record func(activity string, p temporal.Priority)
}

type priorityRecorderInbound struct {
	interceptor.WorkflowInboundInterceptorBase
	recorder *priorityRecorder
}

type priorityRecorderOutbound struct {
	interceptor.WorkflowOutboundInterceptorBase
	recorder *priorityRecorder
}

func (i *priorityRecorder) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	in := &priorityRecorderInbound{recorder: i}
	in.Next = next
	return in
}

func (i *priorityRecorderInbound) Init(outbound interceptor.WorkflowOutboundInterceptor) error {
	out := &priorityRecorderOutbound{recorder: i.recorder}
	out.Next = outbound
	return i.Next.Init(out)
}

func (o *priorityRecorderOutbound) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	o.recorder.record(name, workflow.GetActivityOptions(ctx).Priority)
	return o.Next.ExecuteActivity(ctx, name, args...)
}
