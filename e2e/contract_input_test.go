package e2e_test

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// contractInput sends input that Temporal accepts but the contract does not allow. The opportunity
// continues to work.
func (p *parts) contractInput(reference string) {
	t, c := p.t, p.caller(p.t)
	p.startProposed(reference)
	events := len(p.Runs(opportunity.Reference(reference))[0].Events)

	// Several updates of this size are together too large for one response to a workflow task.
	large := plainJSON(`{"name":"` + strings.Repeat("x", 2_200_000) + `"}`)
	type answer struct {
		took    time.Duration
		failure jsonError
	}
	refused := make(chan answer)
	shapes := []func(*workflowservice.UpdateWorkflowExecutionRequest){
		func(r *workflowservice.UpdateWorkflowExecutionRequest) { r.Request.Input.Args = inputOf(large) },
		func(r *workflowservice.UpdateWorkflowExecutionRequest) {
			r.Request.Input.Args = inputOf(plainJSON(`{"name":"x"}`), large)
		},
		func(r *workflowservice.UpdateWorkflowExecutionRequest) {
			r.Request.Input.Header = &commonpb.Header{Fields: map[string]*commonpb.Payload{"x": large}}
		},
		func(r *workflowservice.UpdateWorkflowExecutionRequest) {
			r.Request.Input.Args = inputOf(plainJSON(`{"name":"` + strings.Repeat("x", 1_000_000) + `"}`))
		},
	}
	for _, shape := range shapes {
		go func() {
			request := c.updateRequest(reference, "updateDetails", uuid.NewString(), `{"name":"x"}`)
			shape(request)
			began := time.Now()
			got, err := c.service.UpdateWorkflowExecution(c.ctx, request)
			refused <- answer{time.Since(began), wantFailure(t, "Invalid", got.GetOutcome(), err)}
		}()
	}
	for range shapes {
		// An update that waits for its outcome returns after 20 s at the earliest, so an earlier
		// response shows that the update was rejected.
		if got := <-refused; got.took > 20*time.Second || !strings.Contains(got.failure.Message, "large") {
			t.Errorf("unexpected failure of a large update: %+v", got)
		}
	}
	if got := len(p.Runs(opportunity.Reference(reference))[0].Events); got != events {
		t.Errorf("refused updates increased the history from %d to %d history events", events, got)
	}

	// A signal may have any name and any number of payloads.
	for _, name := range []string{"__temporal_x", "__enhanced_stack_trace", "進捗"} {
		if err := c.signal(reference, name, plainJSON(`{"requestId":"`+name+`"}`)); err != nil {
			t.Fatal(err)
		}
		wantFailed(t, "Invalid", c.settled(reference, name))
	}
	if err := c.signal(reference, "progress", plainJSON(`{"to":"Opportunity","requestId":"two"}`), plainJSON(`{}`)); err != nil {
		t.Fatal(err)
	}
	wantFailed(t, "Invalid", c.settled(reference, "two"))
	// Each payload refers to another payload in a store that the worker cannot read.
	for n, metadata := range []map[string][]byte{
		{"encoding": []byte("json/external-storage-reference")},
		{"encoding": []byte("json/protobuf"), "messageType": []byte("temporal.api.sdk.v1.ExternalStorageReference")},
	} {
		elsewhere := &commonpb.Payload{Metadata: metadata, Data: []byte(`{"driverName":"s3"}`)}
		if err := c.signal(reference, "progress", elsewhere); err != nil {
			t.Fatal(err)
		}
		harness.Eventually(t, time.Minute, "the signal is a failed request", func() bool { return p.viewOf(reference).Failures == 5+n })
		request := c.updateRequest(reference, "progress", uuid.NewString(), "")
		request.Request.Input.Args = inputOf(elsewhere)
		got, err := c.service.UpdateWorkflowExecution(c.ctx, request)
		wantFailure(t, "Invalid", got.GetOutcome(), err)
		if _, err := c.query(reference, "outcome", elsewhere); queryFailure(err) == nil {
			t.Errorf("a query with an unreadable payload returned %v; want an error of the query", err)
		}
	}
	for _, nothing := range [][]*commonpb.Payload{nil, {{Metadata: map[string][]byte{"encoding": []byte("binary/null")}}}, {plainJSON("null")}} {
		for _, name := range []string{"pause", "resume"} {
			if err := c.signal(reference, name, nothing...); err != nil {
				t.Fatal(err)
			}
			harness.Eventually(t, time.Minute, name+" without a payload", func() bool { return (p.viewOf(reference).Paused != nil) == (name == "pause") })
		}
	}
	if view := p.viewOf(reference); view.Failures != 6 {
		t.Errorf("%d failures; want 6", view.Failures)
	}
	outcome, err := c.update(reference, "progress", uuid.NewString(), `{"to":"Opportunity"}`)
	if got := succeeded[jsonOutcome](t, outcome, err); got.State != "done" {
		t.Errorf("unexpected outcome of a correct update after the wrong messages: %+v", got)
	}
	for _, event := range p.Runs(opportunity.Reference(reference))[0].Events {
		if failed := event.GetWorkflowTaskFailedEventAttributes(); failed != nil && failed.GetCause() != enums.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND {
			t.Errorf("a workflow task failed: %v", failed)
		}
	}
	p.Replay(opportunity.Reference(reference), "input")
}

// contractInvalidStarts starts opportunities with options that would make Temporal end the runs or
// start the runs again. contractInvalidStarts also starts opportunities with arguments that the
// contract does not have.
func (p *parts) contractInvalidStarts(prefix string) {
	t, c := p.t, p.caller(p.t)
	for name, bend := range map[string]func(*workflowservice.StartWorkflowExecutionRequest){
		"cron": func(r *workflowservice.StartWorkflowExecutionRequest) { r.CronSchedule = "@every 1s" },
		"run timeout": func(r *workflowservice.StartWorkflowExecutionRequest) {
			r.WorkflowRunTimeout = durationpb.New(time.Hour)
		},
		"execution timeout": func(r *workflowservice.StartWorkflowExecutionRequest) {
			r.WorkflowExecutionTimeout = durationpb.New(time.Hour)
		},
		"retries": func(r *workflowservice.StartWorkflowExecutionRequest) {
			r.RetryPolicy = &commonpb.RetryPolicy{InitialInterval: durationpb.New(time.Second), BackoffCoefficient: 1}
		},
		"a second argument that is null": func(r *workflowservice.StartWorkflowExecutionRequest) {
			r.Input = inputOf(plainJSON(plainStart), plainJSON(`null`))
		},
		"a state": func(r *workflowservice.StartWorkflowExecutionRequest) {
			r.Input = inputOf(plainJSON(plainStart), plainJSON(`{"version":4,"reference":"x","id":"`+seeded+`","handled":"","runs":1}`))
		},
	} {
		reference := prefix + " " + name
		request := c.startRequest(reference, plainJSON(plainStart))
		bend(request)
		if _, err := c.service.StartWorkflowExecution(c.ctx, request); err != nil {
			t.Fatal(err)
		}
		harness.Eventually(t, time.Minute, "the run of "+reference+" fails", func() bool {
			return p.Status(opportunity.Reference(reference)) == enums.WORKFLOW_EXECUTION_STATUS_FAILED
		})
		runs := p.Runs(opportunity.Reference(reference))
		last := runs[len(runs)-1].Events
		contractFailure(t, "Invalid", last[len(last)-1].GetWorkflowExecutionFailedEventAttributes().GetFailure())
		for _, run := range runs {
			if slices.ContainsFunc(run.Events, func(e *historypb.HistoryEvent) bool { return e.GetActivityTaskScheduledEventAttributes() != nil }) {
				t.Errorf("%s: an activity was scheduled", name)
			}
		}
		p.Replay(opportunity.Reference(reference), "bent "+name)
		p.startProposed(reference)
		outcome, err := c.update(reference, "close", uuid.NewString(), `{"reason":"tried"}`)
		if got := succeeded[jsonOutcome](t, outcome, err); got.State != "done" {
			t.Errorf("%s: %+v", reference, got)
		}
	}
	// Temporal accepts the search attributes of this start, but the SDK of Temporal cannot read the
	// attributes. The run continues to work in spite of such search attributes, and sets its own
	// search attributes.
	request := c.startRequest(prefix+" attributes", plainJSON(plainStart))
	request.SearchAttributes = &commonpb.SearchAttributes{IndexedFields: map[string]*commonpb.Payload{
		"OpportunityStep": plainJSON(`["x"]`), "OpportunityState": plainJSON(`["Won"]`), "OpportunityReservedUntil": plainJSON(`["2026-01-01T00:00:00Z"]`),
	}}
	if _, err := c.service.StartWorkflowExecution(c.ctx, request); err != nil {
		t.Fatal(err)
	}
	outcome, err := c.update(prefix+" attributes", "opened", uuid.NewString(), `{"start":`+plainStart+`}`)
	if opened := succeeded[jsonCreateStatus](t, outcome, err); opened.State != "done" {
		t.Errorf("unexpected outcome of a start with unreadable search attributes: %+v", opened)
	}
	p.Replay(opportunity.Reference(prefix+" attributes"), "bent attributes")
}

// contractScripts starts opportunities with references in several scripts, from the client and from
// another service. After a run is cancelled, a second start of its reference finds the record by
// the reference tag.
func (p *parts) contractScripts(prefix string) {
	t, c := p.t, p.caller(p.t)
	connection, err := client.Dial(client.Options{HostPort: p.TemporalAddress(), Namespace: p.Namespace()})
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	service := lifecycle.NewClient(connection)
	if opened, err := service.Start(c.ctx, "Genève-1", opportunity.Start{Name: "First Aid course", Region: "UK"}); err != nil || opened.State != opportunity.Done {
		t.Errorf("unexpected outcome of a start by another service: %+v, %v", opened, err)
	}
	if _, err := service.View(c.ctx, "Genève-1"); err != nil {
		t.Errorf("a call of another service failed: %v", err)
	}
	if _, err := service.Update(c.ctx, "Genève-1", opportunity.Close{Reason: prefix}); err != nil {
		t.Errorf("a call of another service failed: %v", err)
	}
	if _, err := service.Wait(c.ctx, "Genève-1"); err != nil {
		t.Errorf("a call of another service failed: %v", err)
	}
	for _, reference := range []string{"Zürich-1", "東京-1", "заказ № 7"} {
		record := p.startProposed(reference)
		outcome, err := c.update(reference, "addInterests", uuid.NewString(), "{"+courses(1)+"}")
		if got := succeeded[jsonOutcome](t, outcome, err); got.State != "done" {
			t.Errorf("%s: %+v", reference, got)
		}
		if err := p.temporal.CancelWorkflow(c.ctx, "opportunity/"+reference, ""); err != nil {
			t.Fatal(err)
		}
		harness.Eventually(t, time.Minute, reference+" is cancelled", func() bool {
			return p.Status(opportunity.Reference(reference)) == enums.WORKFLOW_EXECUTION_STATUS_CANCELED
		})
		outcome, err = c.open(reference, plainStart)
		if opened := succeeded[jsonCreateStatus](t, outcome, err); opened.Opportunity != record || opened.Reference != reference {
			t.Errorf("%s, started again: %+v; want the record %s", reference, opened, record)
		}
		if _, err := p.client.Update(c.ctx, opportunity.Reference(reference), opportunity.Close{Reason: prefix}); err != nil {
			t.Errorf("%s: %v", reference, err)
		}
		if _, err := p.client.Wait(c.ctx, opportunity.Reference(reference)); err != nil {
			t.Errorf("%s: %v", reference, err)
		}
		p.Replay(opportunity.Reference(reference), "script "+reference)
	}
	// The same reference in another Unicode form is the id of another workflow. The worker rejects
	// this workflow.
	outcome, err := c.open("Zu\u0308rich-1", plainStart)
	if told := wantFailure(t, "Invalid", outcome, err); !strings.Contains(told.Message, `"Zürich-1"`) {
		t.Errorf("unexpected failure of a reference in another Unicode form: %+v", told)
	}
	p.wantRunFailed("Zu\u0308rich-1", "Invalid")
}
