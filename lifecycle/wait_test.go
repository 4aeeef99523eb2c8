package lifecycle_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// openRun is a namespace with one run. The run is in the step Won after the time won, has no work
// left after the time done, and ends after the time end. openUntil, if not zero, is the OpenUntil
// of the run's view.
type openRun struct {
	client.Client
	begun, openUntil time.Time
	won, done, end   time.Duration
	endError         error
	unavailable      bool
	// effects are the running effects after the time done.
	effects []opportunity.RunningEffect

	describes, queries int
}

type openRunHandle struct {
	client.WorkflowRun
	*openRun
}

func (r *openRun) GetWorkflow(context.Context, string, string) client.WorkflowRun {
	return openRunHandle{openRun: r}
}

func (r openRunHandle) Get(ctx context.Context, into any) error {
	select {
	case <-time.After(time.Until(r.begun.Add(r.end))):
	case <-ctx.Done():
		return ctx.Err()
	}
	if result, is := into.(*opportunity.RunResult); is && r.endError == nil {
		*result = opportunity.RunResult{Reference: "A-1", State: opportunity.Lost}
	}
	return r.endError
}

func (r *openRun) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	if r.describes++; r.unavailable {
		return nil, serviceerror.NewUnavailable("away")
	}
	state := opportunity.Open
	if time.Since(r.begun) >= r.won {
		state = opportunity.Won
	}
	payload, err := converter.GetDefaultDataConverter().ToPayload(state)
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
		Status:           enums.WORKFLOW_EXECUTION_STATUS_RUNNING,
		SearchAttributes: &commonpb.SearchAttributes{IndexedFields: map[string]*commonpb.Payload{lifecycle.OpportunityState.GetName(): payload}},
	}}, err
}

func (r *openRun) QueryWorkflow(context.Context, string, string, string, ...any) (converter.EncodedValue, error) {
	r.queries++
	view := opportunity.View{
		Reference: "A-1", Opportunity: "O", Details: opportunity.Details{Currency: "GBP"}, Interests: make([]opportunity.RecordedInterest, 2), Failures: 1,
		Step: &opportunity.Step{Name: "Won", Stage: opportunity.Stage{State: opportunity.Won}},
	}
	if time.Since(r.begun) >= r.done {
		view.RunningEffects = r.effects
		if len(r.effects) == 0 {
			view.OpenUntil = r.openUntil
		}
	}
	return encodedValue{view}, nil
}

func TestWaitReturnsWhenTheOpportunityHasEnded(t *testing.T) {
	wonResult := opportunity.RunResult{
		Reference: "A-1", Opportunity: "O", State: opportunity.Won, Step: opportunity.Step{Name: "Won", Stage: opportunity.Stage{State: opportunity.Won}},
		Interests: 2, Currency: "GBP", FailedRequests: 1,
	}
	lostResult := opportunity.RunResult{Reference: "A-1", State: opportunity.Lost}
	failure := errors.New("the run failed")
	const hour = time.Hour
	for name, c := range map[string]struct {
		run         openRun
		want        opportunity.RunResult
		err         error
		least, most time.Duration
	}{
		"the run stays open":       {run: openRun{won: hour, done: hour, end: 100 * hour}, want: wonResult, least: hour, most: hour + 5*time.Second},
		"work is left at first":    {run: openRun{won: hour, done: 2 * hour, end: 100 * hour}, want: wonResult, least: 2 * hour, most: 2*hour + 5*time.Second},
		"the run ends at the step": {run: openRun{won: hour, done: 200 * hour, end: hour}, want: lostResult, least: hour, most: hour},
		"an effect waits for an operator": {
			run: openRun{won: hour, done: 2 * hour, end: 100 * hour, effects: []opportunity.RunningEffect{{Key: "1/a"}, {Key: "1/b", Problem: "refused"}}}, want: wonResult, least: 2 * hour, most: 2*hour + 5*time.Second,
		},
		"an effect is tried again": {
			run: openRun{won: hour, done: 2 * hour, end: 3 * hour, effects: []opportunity.RunningEffect{{Key: "1/a"}}}, want: lostResult, least: 3 * hour, most: 3 * hour,
		},
		"the run fails":  {run: openRun{won: 2 * hour, end: hour, endError: failure}, err: failure, least: hour, most: hour},
		"no description": {run: openRun{unavailable: true, end: hour}, want: lostResult, least: hour, most: hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // with a virtual clock
				run := c.run
				run.begun = time.Now()
				run.openUntil = run.begun.Add(1000 * time.Hour)
				got, err := lifecycle.NewClient(&run).Wait(t.Context(), "A-1")
				took := time.Since(run.begun)
				if got != c.want || !errors.Is(err, c.err) {
					t.Errorf("got %+v, %v; want %+v, %v", got, err, c.want, c.err)
				}
				if took < c.least || took > c.most {
					t.Errorf("returned after %v; want %v to %v", took, c.least, c.most)
				}
				if most := int(took/(4*time.Second)) + 10; run.describes > most {
					t.Errorf("%d descriptions in %v; want at most %d", run.describes, took, most)
				}
				if run.queries > 0 && run.won == run.done && run.queries != 1 {
					t.Errorf("%d queries; want one in the final step", run.queries)
				}
			})
		})
	}
}

func TestWaitEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // with a virtual clock
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		run := &openRun{begun: time.Now(), won: time.Hour, end: time.Hour}
		if _, err := lifecycle.NewClient(run).Wait(ctx, "A-1"); !errors.Is(err, context.DeadlineExceeded) || time.Since(run.begun) != time.Minute {
			t.Errorf("got %v after %v; want the end of the context after a minute", err, time.Since(run.begun))
		}
	})
}
