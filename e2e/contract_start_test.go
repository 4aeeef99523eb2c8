package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings/testrun"
	"github.com/oppflow/oppflow/starter/cli"
)

const plainStart = `{"name":"First Aid course","region":"UK"}`

func (p *parts) contractStarts(prefix string) {
	p.t.Run("new, equal and different", func(t *testing.T) {
		t.Parallel()
		c, reference := p.caller(t), prefix+" 1"
		outcome, err := c.open(reference, plainStart)
		first := succeeded[jsonCreateStatus](t, outcome, err)
		if first.State != "done" || first.Reference != reference || first.Opportunity.Type() != "Opportunity" || first.Details == nil || first.Step == nil {
			t.Errorf("unexpected outcome of the start: %+v", first)
		}
		// A start with the same content and other JSON formatting is an equal start.
		outcome, err = c.open(reference, `{ "region": "UK", "name": "First Aid course", "interests": [], "requestId": "mine" }`)
		if diff := cmp.Diff(first, succeeded[jsonCreateStatus](t, outcome, err)); diff != "" {
			t.Errorf("an equal start (-first +again):\n%s", diff)
		}
		outcome, err = c.open(reference, `{"name":"Fire Safety","region":"UK"}`)
		wantFailure(t, "Conflict", outcome, err)
		// A separate update opened returns the same result with the start and without the start.
		for _, payload := range []string{`{}`, `{"start":` + plainStart + `}`} {
			outcome, err = c.update(reference, "opened", uuid.NewString(), payload)
			if diff := cmp.Diff(first, succeeded[jsonCreateStatus](t, outcome, err)); diff != "" {
				t.Errorf("opened %s (-first +again):\n%s", payload, diff)
			}
		}
		outcome, err = c.update(reference, "opened", uuid.NewString(), `{"start":{"name":"Fire Safety","region":"UK"}}`)
		wantFailure(t, "Conflict", outcome, err)
		if runs := p.in(t).Runs(opportunity.Reference(reference)); len(runs) != 1 {
			t.Errorf("%d runs", len(runs))
		}
	})
	p.t.Run("by a plain start", func(t *testing.T) {
		t.Parallel()
		c, reference := p.caller(t), prefix+" 2"
		if err := c.start(reference, plainJSON(`{"name":"First Aid course","region":"UK","account":"Administrate","currency":"EUR","entryStep":"Opportunity",`+
			`"interests":[{"item":"FA-1","kind":"course","quantity":2,"unitAmount":"45.50"}]}`)); err != nil {
			t.Fatal(err)
		}
		outcome, err := c.update(reference, "opened", uuid.NewString(), `{}`)
		opened := succeeded[jsonCreateStatus](t, outcome, err)
		in := p.in(t)
		harness.Eventually(t, time.Minute, "the interests of the start are added", func() bool { return len(in.viewOf(reference).Interests) == 1 })
		got := in.Opportunity(opened.Opportunity)
		if got.Name != "First Aid course" || got.Account == nil || got.Account.Name != "Administrate" || got.Currency.Code != "EUR" || got.Step.Name != "Opportunity" || got.InterestCount != 1 {
			t.Errorf("the record has wrong values: %+v", got)
		}
	})
	p.t.Run("invalid", func(t *testing.T) {
		t.Parallel()
		c, in, reference := p.caller(t), p.in(t), prefix+" 3"
		outcome, err := c.open(reference, `{"name":"First Aid course","region":"UK","discount":"5"}`)
		if told := wantFailure(t, "Invalid", outcome, err); !strings.Contains(told.Message, `"discount"`) {
			t.Errorf("the error Invalid has the message %q; want the name of the unknown member", told.Message)
		}
		in.wantRunFailed(reference, "Invalid")
		outcome, err = c.open(reference, plainStart)
		succeeded[jsonCreateStatus](t, outcome, err)
		// A reference with a forbidden character is rejected for every caller.
		if err := c.start("ada@example.com", plainJSON(plainStart)); err != nil {
			t.Fatal(err)
		}
		in.wantRunFailed("ada@example.com", "Invalid")
	})
	p.t.Run("after one that was rejected", func(t *testing.T) {
		t.Parallel()
		c, in, reference := p.caller(t), p.in(t), prefix+" 4"
		outcome, err := c.open(reference, `{"name":"First Aid course","region":"UK","currency":"ZZZ"}`)
		if told := wantFailure(t, "Rejected", outcome, err); told.Label == "" || told.Message == "" {
			t.Errorf("the error Rejected is %+v; want the texts of the API", told)
		}
		in.wantRunFailed(reference, "Rejected")
		outcome, err = c.open(reference, plainStart)
		if opened := succeeded[jsonCreateStatus](t, outcome, err); opened.State != "done" {
			t.Errorf("unexpected outcome of the corrected start: %+v", opened)
		}
		outcome, err = c.open(prefix+" 5", `{"name":"First Aid course","region":"Atlantis"}`)
		wantFailure(t, "NotFound", outcome, err)
	})
	p.t.Run("after one that was cancelled", func(t *testing.T) {
		t.Parallel()
		c, in, reference := p.caller(t), p.in(t), prefix+" 6"
		first := in.startProposed(reference)
		if err := p.temporal.CancelWorkflow(c.ctx, "opportunity/"+reference, ""); err != nil {
			t.Fatal(err)
		}
		harness.Eventually(t, time.Minute, "the run ends", func() bool {
			return in.Status(opportunity.Reference(reference)) == enums.WORKFLOW_EXECUTION_STATUS_CANCELED
		})
		outcome, err := c.open(reference, plainStart)
		if again := succeeded[jsonCreateStatus](t, outcome, err); again.Opportunity != first {
			t.Errorf("after the second start, the opportunity has the record %s; want %s", again.Opportunity, first)
		}
	})
	p.t.Run("after one that completed", func(t *testing.T) {
		t.Parallel()
		c, in, reference := p.caller(t), p.in(t), prefix+" 7"
		in.startProposed(reference)
		if err := c.signal(reference, "progress", plainJSON(`{"to":"Archived"}`)); err != nil {
			t.Fatal(err)
		}
		harness.Eventually(t, time.Minute, "the run ends", func() bool {
			return in.Status(opportunity.Reference(reference)) == enums.WORKFLOW_EXECUTION_STATUS_COMPLETED
		})
		// The Temporal server itself rejects the start. Each SDK has its own type for the server's
		// error MultiOperationExecution.
		var both *serviceerror.MultiOperationExecution
		_, err := c.open(reference, plainStart)
		if !errors.As(err, &both) || len(both.OperationErrors()) != 2 {
			t.Fatalf("a start after the end: %v; want a MultiOperationExecution", err)
		}
		var started *serviceerror.WorkflowExecutionAlreadyStarted
		if !errors.As(both.OperationErrors()[0], &started) {
			t.Errorf("a start after the end: %v; want AlreadyStarted", both.OperationErrors()[0])
		}
		if err := c.start(reference, plainJSON(plainStart)); !errors.As(err, &started) {
			t.Errorf("a plain start after the end: %v; want AlreadyStarted", err)
		}
		_, err = p.client.Start(c.ctx, opportunity.Reference(reference), opportunity.Start{Name: "First Aid course", Region: "UK"})
		wantError(t, err, opportunity.Closed)
	})
}

func (p *parts) wantRunFailed(reference, want string) {
	p.t.Helper()
	harness.Eventually(p.t, time.Minute, "the run of "+reference+" fails", func() bool {
		return p.Status(opportunity.Reference(reference)) == enums.WORKFLOW_EXECUTION_STATUS_FAILED
	})
	events := p.Runs(opportunity.Reference(reference))[0].Events
	contractFailure(p.t, want, events[len(events)-1].GetWorkflowExecutionFailedEventAttributes().GetFailure())
}

func (p *parts) contractAdoptions(prefix string) {
	t, c := p.t, p.caller(p.t)
	made, err := p.api.CreateOpportunity(c.ctx, administrate.NewOpportunity{Name: "Made by hand", RegionID: "UmVnaW9uOlVL"})
	if err != nil {
		t.Fatal(err)
	}
	outcome, err := c.open(prefix, `{"adopt":"`+made.ID+`"}`)
	opened := succeeded[jsonCreateStatus](t, outcome, err)
	if string(opened.Opportunity) != made.ID || !strings.Contains(string(opened.Details), "Made by hand") {
		t.Errorf("unexpected outcome of the adoption: %+v", opened)
	}
	if got := p.Opportunity(opened.Opportunity).Attributes; !slices.Contains(got, administrate.Attribute{Key: "oppflow", Value: prefix}) {
		t.Errorf("the record's attributes: %+v; want the reference tag", got)
	}
	outcome, err = c.update(prefix, "progress", uuid.NewString(), `{"to":"Opportunity"}`)
	if got := succeeded[jsonOutcome](t, outcome, err); got.State != "done" || p.Opportunity(opened.Opportunity).Step.Name != "Opportunity" {
		t.Errorf("unexpected outcome of progress after the adoption: %+v", got)
	}
	p.Replay(opportunity.Reference(prefix), "contract-adopted")
	p.ReplayOf("adoption/"+made.ID, "contract-adoption")

	outcome, err = c.open(prefix+" 2", `{"adopt":"`+made.ID+`"}`)
	wantFailure(t, "Conflict", outcome, err)
	p.wantRunFailed(prefix+" 2", "Conflict")
	if got := p.Opportunity(opened.Opportunity).Attributes; !slices.Contains(got, administrate.Attribute{Key: "oppflow", Value: prefix}) {
		t.Errorf("the record's attributes: %+v; want the first reference's tag", got)
	}
	outcome, err = c.open(prefix+" 3", `{"adopt":"T3Bwb3J0dW5pdHk6OTk5OTk5"}`) // Opportunity:999999
	wantFailure(t, "NotFound", outcome, err)
	p.wantRunFailed(prefix+" 3", "NotFound")
	outcome, err = c.open(prefix+" 4", `{"adopt":"`+courseItem+`"}`)
	wantFailure(t, "Invalid", outcome, err)
}

// contractAdoptionRace makes two references adopt the same record at once. While the first
// reference's tag is written, the second reference waits.
func (p *parts) contractAdoptionRace(g *apiProxy, prefix string) {
	t, ctx := p.t, p.t.Context()
	made, err := p.api.CreateOpportunity(ctx, administrate.NewOpportunity{Name: "Wanted by two", RegionID: "UmVnaW9uOlVL"})
	if err != nil {
		t.Fatal(err)
	}
	record := opportunity.ID(made.ID)
	adopt := func(reference opportunity.Reference) chan error {
		answered := make(chan error, 1)
		go func() {
			opened, err := p.client.Start(ctx, reference, opportunity.Start{Adopt: record})
			if err == nil && opened.State != opportunity.Done {
				err = fmt.Errorf("%s is %s", reference, opened.State)
			}
			answered <- err
		}()
		return answered
	}
	first, second := opportunity.Reference(prefix+" first"), opportunity.Reference(prefix+" second")
	released := make(chan struct{})
	g.intercept(record, holdUntil(released))
	one := adopt(first)
	harness.Eventually(t, time.Minute, "the request for the first reference tag is held", func() bool { return !g.isPending(record) })
	two := adopt(second)
	harness.Eventually(t, time.Minute, "the start of the second reference waits", func() bool { return len(two) > 0 || p.isStartRefused(second) })
	close(released)
	if err := <-one; err != nil {
		t.Errorf("unexpected result of the first reference: %v", err)
	}
	var own *opportunity.Error
	if err := <-two; !errors.As(err, &own) || own.Type != opportunity.Conflict {
		t.Errorf("the second reference: %v; want a Conflict", err)
	}
	if got := p.Opportunity(record).Attributes; !slices.Contains(got, administrate.Attribute{Key: "oppflow", Value: string(first)}) {
		t.Errorf("the record's attributes: %+v; want the first reference's tag", got)
	}
}

// isStartRefused reports whether the start of the reference was rejected because a run of a
// different reference is adopting the record.
func (p *parts) isStartRefused(reference opportunity.Reference) bool {
	events := p.temporal.GetWorkflowHistory(p.t.Context(), lifecycle.WorkflowID(reference), "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return false
		}
		if event.GetEventType() == enums.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED {
			return true
		}
	}
	return false
}

// contractNewerState makes the worker run a workflow with a state that a later version of Oppflow
// wrote.
func (p *parts) contractNewerState(prefix string) {
	t, c := p.t, p.caller(p.t)
	state := `{"version":99,"reference":"` + prefix + `","startDigest":"","details":{"name":"x"},"handled":"","runs":7,"queue":"written in a way of its own","later":{"member":1}}`
	p.handOver(c, prefix, state)
	if err := c.signal(prefix, "progress", plainJSON(`{"to":"Won"}`)); err != nil {
		t.Fatal(err)
	}
	reference := opportunity.Reference(prefix)
	harness.Eventually(t, time.Minute, "the worker fails the workflow task", func() bool {
		for _, event := range p.Runs(reference)[1].Events {
			if ended := event.GetWorkflowExecutionFailedEventAttributes(); ended != nil {
				t.Fatalf("the worker ended the run: %s", ended.GetFailure().GetMessage())
			}
			failed := event.GetWorkflowTaskFailedEventAttributes()
			if failed == nil {
				continue
			}
			if text := failed.GetFailure().GetMessage(); !strings.Contains(text, "version 99") || !strings.Contains(text, "newer worker") {
				t.Fatalf("the workflow task failed with another error: %s", text)
			}
			return true
		}
		return false
	})
	// The run waits for a worker of the later version, and keeps the whole state.
	if got := p.Status(reference); got != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
		t.Fatalf("the run is %s", got)
	}
	events := p.Runs(reference)[1].Events
	if got := string(events[0].GetWorkflowExecutionStartedEventAttributes().GetInput().GetPayloads()[1].GetData()); got != state {
		t.Errorf("the state became %s", got)
	}
	// While a worker has the workflow task, the server does not write the signal to the history.
	harness.Eventually(t, time.Minute, "the signal is in the history exactly once", func() bool {
		signals := 0
		for _, event := range p.Runs(reference)[1].Events {
			if event.GetEventType() == enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED {
				signals++
			}
		}
		return signals == 1
	})
	// The workflow cannot return a view of a state that a later version wrote.
	command := func(args ...string) string {
		var stdout, stderr bytes.Buffer
		_ = cli.Main(c.ctx, args, append(os.Environ(), p.Environ()...), &stdout, &stderr)
		return stdout.String() + stderr.String()
	}
	if said := command("show", prefix); !strings.Contains(said, "workflow task of "+prefix+" fails") {
		t.Errorf("unexpected output of oppflow show: %s", said)
	}
	if testrun.Long(t) { // the server reports a failing workflow task after five failures, which take most of a minute
		harness.Eventually(t, 2*time.Minute, "the list shows that the workflow task fails", func() bool {
			return strings.Contains(command("list", "--attention", "any"), prefix) && strings.Contains(command("list", "--attention", "task"), prefix)
		})
	}
	if err := p.temporal.TerminateWorkflow(c.ctx, "opportunity/"+prefix, "", "the test is over"); err != nil {
		t.Error(err)
	}
}

// handOver starts a run that passes the state to the next run. Only a run can pass a state to the
// next run. The workflow rejects a second argument from a caller.
func (p *parts) handOver(c caller, reference, state string) {
	p.t.Helper()
	const queue = "runs of a later version"
	before := worker.New(p.temporal, queue, worker.Options{})
	before.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		return workflow.NewContinueAsNewError(workflow.WithWorkflowTaskQueue(ctx, lifecycle.TaskQueue), lifecycle.WorkflowType, nil, converter.NewRawValue(plainJSON(state)))
	}, workflow.RegisterOptions{Name: lifecycle.WorkflowType})
	if err := before.Start(); err != nil {
		p.t.Fatal(err)
	}
	defer before.Stop()
	request := c.startRequest(reference)
	request.TaskQueue.Name = queue
	if _, err := c.service.StartWorkflowExecution(c.ctx, request); err != nil {
		p.t.Fatal(err)
	}
	harness.Eventually(p.t, time.Minute, "a second run continues the first run", func() bool { return len(p.Runs(opportunity.Reference(reference))) == 2 })
}
