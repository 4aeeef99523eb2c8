package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/sync/errgroup"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/opportunity"
)

// contractIDs checks that Oppflow does a request only once when the sender sends the request twice.
func (p *parts) contractIDs(reference string) {
	t, c := p.t, p.caller(p.t)
	record := p.startProposed(reference)
	members := courses(1)
	ways := sendModes()
	for n, order := range [][2]sendMode{{ways[0], ways[1]}, {ways[1], ways[0]}, {ways[0], ways[0]}, {ways[1], ways[1]}} {
		id := fmt.Sprintf("request %d", n)
		first := order[0].send(c, reference, "addInterests", id, members)
		again := order[1].send(c, reference, "addInterests", id, members)
		if diff := cmp.Diff(first, again); diff != "" || first.State != "done" {
			t.Errorf("by %s, then by %s: %+v (-first +again):\n%s", order[0].name, order[1].name, first, diff)
		}
		if got := p.Opportunity(record).InterestCount; got != n+1 {
			t.Fatalf("by %s, then by %s: the record has %d interests; want %d", order[0].name, order[1].name, got, n+1)
		}
	}
	// A second request with the id of another request is a Conflict, even when the two requests are
	// of different kinds.
	outcome, err := c.update(reference, "addInterests", uuid.NewString(), messageJSON("request 0", courses(2)))
	wantFailure(t, "Conflict", outcome, err)
	outcome, err = c.update(reference, "pause", uuid.NewString(), `{"requestId":"request 0"}`)
	wantFailure(t, "Conflict", outcome, err)
	if err := c.signal(reference, "progress", plainJSON(`{"requestId":"request 0","to":"Opportunity"}`)); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, time.Minute, "the signal with a used id is shown", func() bool { return slices.Contains(p.listedAttention(reference), "message") })
	if got, err := c.outcome(reference, "request 0"); err != nil || got.State != "done" {
		t.Errorf("unexpected outcome of the first request: %+v, %v", got, err)
	}
	if view := p.viewOf(reference); view.Failures != 1 || view.Step.Name != "Proposed" || view.Paused != nil {
		t.Errorf("the view has wrong values: %+v", view)
	}
	// An update without a request id uses the update id as the request id.
	outcome, err = c.update(reference, "updateDetails", "an update's id", `{"name":"First"}`)
	if got := succeeded[jsonOutcome](t, outcome, err); got.RequestID != "an update's id" {
		t.Errorf("the update's request id: %q", got.RequestID)
	}
	if got, err := c.outcome(reference, "an update's id"); err != nil || got.State != "done" {
		t.Errorf("unexpected outcome of the update: %+v, %v", got, err)
	}
	outcome, err = c.update(reference, "updateDetails", uuid.NewString(), `{"requestId":"an update's id","name":"Second"}`)
	wantFailure(t, "Conflict", outcome, err)
	p.Replay(opportunity.Reference(reference), "contract-"+strings.ReplaceAll(reference, " ", "-"))
}

// repeat repeats the signal updateDetails until the history of the run has more history events than
// the given number.
func (c caller) repeat(reference, payload string, events int64) {
	c.t.Helper()
	for {
		run, err := c.service.DescribeWorkflowExecution(c.ctx, &workflowservice.DescribeWorkflowExecutionRequest{
			Namespace: c.namespace, Execution: executionOf(reference),
		})
		if err != nil {
			c.t.Fatal(err)
		}
		if run.GetWorkflowExecutionInfo().GetHistoryLength() > events {
			return
		}
		var senders errgroup.Group
		senders.SetLimit(8)
		for range 50 {
			senders.Go(func() error { return c.signal(reference, "updateDetails", plainJSON(payload)) })
		}
		if err := senders.Wait(); err != nil {
			c.t.Fatal(err)
		}
	}
}

// contractContinuing fills the history of a run while a request is under way. The test sends
// messages to the run when the run is about to continue as new, and to the next run.
func (p *parts) contractContinuing(g *apiProxy) {
	const reference = "continuing"
	t, c := p.t, p.caller(p.t)
	record := p.startProposed(reference)
	members := courses(1)
	outcome, err := c.update(reference, "addInterests", uuid.NewString(), messageJSON("in the first run", members))
	first := succeeded[jsonOutcome](t, outcome, err)
	outcome, err = c.update(reference, "addInterests", "an update's id", `{`+members+`}`)
	unnamed := succeeded[jsonOutcome](t, outcome, err)

	// The test repeats one request, so that the history grows and nothing else changes. The worker
	// waits a limited time for a response, so the test fills most of the history before the request
	// is held.
	const slow = `{"requestId":"slow","name":"Slow"}`
	c.repeat(reference, `{"requestId":"quick","name":"Quick"}`, 1300)
	released := make(chan struct{})
	free := sync.OnceFunc(func() { close(released) })
	defer free()
	g.intercept(record, holdUntil(released))
	if err := c.signal(reference, "updateDetails", plainJSON(slow)); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, time.Minute, "the request is held", func() bool { return !g.isPending(record) })
	c.repeat(reference, slow, 2000)
	harness.Eventually(t, 15*time.Second, "the run is about to continue as new", func() bool {
		outcome, err = c.update(reference, "progress", uuid.NewString(), `{"requestId":"raw","to":"Opportunity"}`)
		return outcome.GetFailure() != nil
	})
	wantFailure(t, "Continuing", outcome, err)
	// The Go client repeats the message until the next run accepts the message.
	moved := make(chan error, 1)
	go func() {
		got, err := p.client.Update(c.ctx, reference, opportunity.Progress{RequestID: "by the client", To: "Opportunity"})
		if err == nil && got.State != opportunity.Done {
			err = fmt.Errorf("outcome %+v", got)
		}
		moved <- err
	}()
	outcome, err = c.update(reference, "refresh", uuid.NewString(), `{}`)
	if got := succeeded[jsonOutcome](t, outcome, err); got.State != "done" {
		t.Errorf("unexpected outcome of refresh: %+v", got)
	}
	select {
	case err := <-moved:
		t.Fatalf("the client got a response although the run could not accept the message: %v", err)
	default:
	}
	free()
	if err := <-moved; err != nil {
		t.Errorf("the update of the Go client failed: %v", err)
	}
	if view := p.viewOf(reference); view.Runs != 2 || view.Step.Name != "Opportunity" || view.Details.Name != "Slow" || view.Failures > 0 {
		t.Errorf("unexpected view of the next run: %+v", view)
	}
	if _, err := c.outcome(reference, "raw"); err == nil {
		t.Error("the refused update has an outcome; want none")
	}

	for _, by := range sendModes() {
		if diff := cmp.Diff(first, by.send(c, reference, "addInterests", "in the first run", members)); diff != "" {
			t.Errorf("by %s in the next run (-first +again):\n%s", by.name, diff)
		}
	}
	outcome, err = c.update(reference, "addInterests", "an update's id", `{`+members+`}`)
	if diff := cmp.Diff(unnamed, succeeded[jsonOutcome](t, outcome, err)); diff != "" {
		t.Errorf("the update's id in the next run (-first +again):\n%s", diff)
	}
	outcome, err = c.update(reference, "addInterests", uuid.NewString(), messageJSON("in the first run", courses(2)))
	wantFailure(t, "Conflict", outcome, err)
	if got := p.Opportunity(record).InterestCount; got != 2 {
		t.Errorf("the record has %d interests; want the 2 of the first run", got)
	}
	p.Replay(reference, "contract-continuing")
}
