package tms_test

import (
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// scheduled makes a workflow schedule a change with the options from another worker's times, and returns the
// fate of the change.
func (r *room) scheduled(times activities.Times, name string, in any) activities.Sending {
	r.t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	r.made.Register(env)
	env.ExecuteWorkflow(func(ctx workflow.Context) (activities.Sending, error) {
		var out activities.Sending // every result of a change holds a Sending
		ctx = workflow.WithActivityOptions(ctx, times.ToChange("change"))
		err := workflow.ExecuteActivity(ctx, name, in).Get(ctx, &out)
		return out, err
	})
	var out activities.Sending
	if err := env.GetWorkflowError(); err != nil {
		r.t.Fatal(err)
	}
	if err := env.GetWorkflowResult(&out); err != nil {
		r.t.Fatal(err)
	}
	return out
}

// asked is an activity with its input.
type asked struct {
	activity string
	in       any
}

// changes returns the activities that change something of the record, by what they do.
func (r *room) changes(record opportunity.ID) map[string]asked {
	acting := func(in activities.EffectInput) activities.EffectInput {
		looked := do[activities.InspectResult](r, activities.InspectEffect, in)
		in.Act, in.Trace = looked.Act, looked.Trace
		return in
	}
	return map[string]asked{
		"create": {activities.CreateOpportunity, activities.CreateInput{
			Reference: "A-2", Start: opportunity.Start{Name: "x", Region: string(regionDR)}, Looked: true,
		}},
		"apply": {activities.ApplyCommands, activities.ApplyInput{
			Reference: "A-1", Opportunity: record, Mutations: []opportunity.Mutation{interest(course, 1)},
		}},
		"mark":              {activities.MarkOpportunity, activities.MarkInput{Reference: "A-1", Opportunity: record, Name: "First Aid"}},
		"call a service":    {activities.CarryOutEffect, acting(callEffect(record))},
		"effect on the TMS": {activities.CarryOutEffect, acting(attributesEffect(record, map[string]string{"po": "PO 17"}))},
	}
}

// TestAChangeWithoutTimeToSendIsNotSent: the worker that schedules a change may have shorter times than the worker that
// makes it. Where the deadline of the activity leaves no time to send the change, nothing is sent.
func TestAChangeWithoutTimeToSendIsNotSent(t *testing.T) {
	r, s, _ := serviced(t)
	record := r.created("A-1")
	for name, change := range r.changes(record) {
		t.Run(name, func(t *testing.T) {
			r.requested()
			// The worker waits for the answer alone for longer than the activity may take.
			short := activities.Times{SendWindow: 5 * time.Second, AnswerTime: 5 * time.Second}
			out := r.scheduled(short, change.activity, change.in)
			if out.Fate != opportunity.FateNotSent || out.Reason != activities.ReasonLate {
				t.Errorf("got %+v; want it not sent, since it is late", out)
			}
			if n := r.requested() + len(s.taken()); n != 0 {
				t.Errorf("%d requests were sent", n)
			}
			// With the worker's own times the same change is made.
			if out := r.scheduled(activities.Times{}, change.activity, change.in); out.Fate != opportunity.FateDone {
				t.Errorf("got %+v; want it done", out)
			}
			if n := r.requested() + len(s.taken()); n != 1 {
				t.Errorf("%d requests were sent; want 1", n)
			}
		})
	}
}
