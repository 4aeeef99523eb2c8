package tms_test

import (
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// scheduleChange makes a workflow schedule a change with the given times of another worker, and
// returns the result of the change.
func (r *fixture) scheduleChange(times activities.Times, name string, in any) activities.CallResult {
	r.t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	r.activities.Register(env)
	env.ExecuteWorkflow(func(ctx workflow.Context) (activities.CallResult, error) {
		var out activities.CallResult
		ctx = workflow.WithActivityOptions(ctx, times.ChangeOptions("change"))
		err := workflow.ExecuteActivity(ctx, name, in).Get(ctx, &out)
		return out, err
	})
	var out activities.CallResult
	if err := env.GetWorkflowError(); err != nil {
		r.t.Fatal(err)
	}
	if err := env.GetWorkflowResult(&out); err != nil {
		r.t.Fatal(err)
	}
	return out
}

type activityCall struct {
	activity string
	in       any
}

func (r *fixture) changeInputs(record opportunity.ID) map[string]activityCall {
	acting := func(in activities.EffectInput) activities.EffectInput {
		looked := mustRunActivity[activities.InspectResult](r, activities.InspectEffect, in)
		in.Request, in.UndoEntry = looked.Request, looked.UndoEntry
		return in
	}
	return map[string]activityCall{
		"create": {activities.CreateOpportunity, activities.CreateInput{
			Reference: "A-2", Start: opportunity.Start{Name: "x", Region: string(regionDR)}, SkipEarlierRunCheck: true,
		}},
		"apply": {activities.ApplyCommands, activities.ApplyInput{
			Reference: "A-1", Opportunity: record, Changes: []exchange.Change{interest(course, 1)},
		}},
		"mark":              {activities.TagOpportunity, activities.TagInput{Reference: "A-1", Opportunity: record, Name: "First Aid"}},
		"call a service":    {activities.ExecuteEffect, acting(callEffect(record))},
		"effect on the TMS": {activities.ExecuteEffect, acting(attributesEffect(record, map[string]string{"po": "PO 17"}))},
	}
}

// TestAChangeWithoutTimeToSendIsNotSent: the worker that schedules a change may have shorter times
// than the worker that executes the change.
func TestAChangeWithoutTimeToSendIsNotSent(t *testing.T) {
	r, s, _ := newServiceFixture(t)
	record := r.createRecord("A-1")
	for name, change := range r.changeInputs(record) {
		t.Run(name, func(t *testing.T) {
			r.requestCount()
			// The response time of the executing worker alone is longer than the time-out of the
			// activity.
			short := activities.Times{SendWindow: 5 * time.Second, ResponseTime: 5 * time.Second}
			out := r.scheduleChange(short, change.activity, change.in)
			if out.Status != exchange.StatusNotSent || out.Reason != activities.ReasonSendDeadlinePassed {
				t.Errorf("got %+v; want it not sent, since it is late", out)
			}
			if n := r.requestCount() + len(s.takeRequests()); n != 0 {
				t.Errorf("%d requests were sent", n)
			}
			if out := r.scheduleChange(activities.Times{}, change.activity, change.in); out.Status != exchange.StatusDone {
				t.Errorf("got %+v; want it done", out)
			}
			if n := r.requestCount() + len(s.takeRequests()); n != 1 {
				t.Errorf("%d requests were sent; want 1", n)
			}
		})
	}
}
