package e2e_test

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

func (p *parts) contractQuestion(g *apiProxy, by sendMode, answer, reference string) {
	t, c := p.t, p.caller(p.t)
	record := p.startProposed(reference)
	p.makeInDoubt(g, c, reference, record)
	// A later request waits until the operator answers the question.
	if err := c.signal(reference, "addInterests", plainJSON(messageJSON("later", courses(2)))); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, time.Minute, "the later request waits", func() bool { return len(p.viewOf(reference).Queue) == 2 })
	view := p.viewOf(reference)
	if view.Question.Request != "order-7" || view.Question.MessageName != "addInterests" || !view.Queue[0].InDoubt {
		t.Errorf("the question: %+v about %+v", view.Question, view.Queue)
	}
	if words := p.listedAttention(reference); !slices.Contains(words, "undecided") {
		t.Errorf("the list shows attention %q; want undecided", words)
	}
	for _, id := range []string{"order-7", "later"} {
		if got, err := c.outcome(reference, id); err != nil || got.State != "pending" {
			t.Errorf("the outcome of %s: %+v, %v; want pending", id, got, err)
		}
	}
	if got := p.Opportunity(record).InterestCount; got != 1 {
		t.Errorf("the record has %d interests; want the one interest that was added by hand", got)
	}
	reason := ""
	if answer == "skip" {
		reason = `,"reason":"added by hand"`
	}
	outcome, err := c.update(reference, answer, uuid.NewString(), `{"request":"later"`+reason+`}`)
	wantFailure(t, "NotFound", outcome, err)

	if got := by.send(c, reference, answer, "decision", `"request":"order-7"`+reason); got.State != "done" || got.RequestID != "decision" {
		t.Errorf("%s: %+v", answer, got)
	}
	wantAdded := 3
	first := c.settled(reference, "order-7")
	switch {
	case answer == "confirm":
		if wantAdded = 2; first.State != "done" {
			t.Errorf("unexpected outcome after confirm: %+v", first)
		}
	case answer == "skip":
		wantAdded = 2
		if told := wantFailed(t, "Skipped", first); told.Message != "added by hand" {
			t.Errorf("the error Skipped has the message %q; want the operator's reason", told.Message)
		}
	case first.State != "done" || len(first.Results) != 1 || first.Results[0].Interest == "":
		t.Errorf("unexpected outcome after retry: %+v", first)
	}
	if got := c.settled(reference, "later"); got.State != "done" {
		t.Errorf("unexpected outcome of the later request: %+v", got)
	}
	if got := p.Opportunity(record).InterestCount; got != wantAdded {
		t.Errorf("the record has %d interests; want %d", got, wantAdded)
	}
	outcome, err = c.update(reference, "addInterests", uuid.NewString(), messageJSON("order-7", courses(1)))
	if diff := cmp.Diff(first, succeeded[jsonOutcome](t, outcome, err)); diff != "" {
		t.Errorf("the outcome of the repeated query (-first +again):\n%s", diff)
	}
	if view := p.viewOf(reference); view.Question != nil || slices.Contains(p.listedAttention(reference), "undecided") {
		t.Errorf("the question is still in the view or in the list: %+v, %q", view.Question, p.listedAttention(reference))
	}
	p.Replay(opportunity.Reference(reference), "contract-"+strings.ReplaceAll(reference, " ", "-"))
}

// contractInDoubt closes a run with a request in doubt. The outcome of the request says that the
// request may have taken effect.
func (p *parts) contractInDoubt(g *apiProxy, reference string) {
	t, c := p.t, p.caller(p.t)
	record := p.startProposed(reference)
	p.makeInDoubt(g, c, reference, record)
	outcome, err := c.update(reference, "close", uuid.NewString(), `{"reason":"sold elsewhere"}`)
	if got := succeeded[jsonOutcome](t, outcome, err); got.State != "done" {
		t.Errorf("unexpected outcome of close: %+v", got)
	}
	told := wantFailed(t, "Undecided", c.settled(reference, "order-7"))
	if !strings.Contains(told.Message, "sold elsewhere") || !strings.Contains(told.Message, "unknown") {
		t.Errorf("the error Undecided has the message %q; want that the change status is unknown, and why Oppflow cannot read the change back", told.Message)
	}
}

// makeInDoubt puts a request for one course in doubt: a person adds another interest by hand at the
// same time.
func (p *parts) makeInDoubt(g *apiProxy, c caller, reference string, record opportunity.ID) {
	p.t.Helper()
	g.intercept(record, dropRequest(func() {
		_, err := p.api.AddInterest(c.ctx, administrate.AddInterest{OpportunityID: string(record), ItemID: pathItem, Kind: administrate.LearningPath, Quantity: 1})
		if err != nil {
			p.t.Error(err)
		}
	}))
	if err := c.signal(reference, "addInterests", plainJSON(messageJSON("order-7", courses(1)))); err != nil {
		p.t.Fatal(err)
	}
	harness.Eventually(p.t, time.Minute, "a question waits", func() bool { return p.viewOf(reference).Question != nil })
}

func (p *parts) listedAttention(reference string) []string {
	p.t.Helper()
	described, err := p.temporal.DescribeWorkflow(p.t.Context(), lifecycle.WorkflowID(opportunity.Reference(reference)), "")
	if err != nil {
		p.t.Fatal(err)
	}
	var words []string
	if shown := described.RawResponse.GetWorkflowExecutionInfo().GetSearchAttributes().GetIndexedFields()["OpportunityAttention"]; shown != nil {
		if err := json.Unmarshal(shown.GetData(), &words); err != nil {
			p.t.Fatal(err)
		}
	}
	return words
}
