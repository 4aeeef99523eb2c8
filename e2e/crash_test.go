package e2e_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/settings/testrun"
	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/starter/story"
)

// crash is a story whose worker is killed at one request that changes the record. The worker is
// killed before the API runs the request, or after the API has made the change and before the
// response arrives.
type crash struct {
	parts         *parts
	reference     opportunity.Reference
	send          story.SendMode
	requestNumber int
	kind          fault.Kind
	// rule is the number of the fault that holds the request, 0 until the fault is set.
	rule int
	// arrivals counts the stories that have not reached the request at which their worker is
	// killed. A story that has reached this request waits until proceed is closed.
	arrivals *sync.WaitGroup
	proceed  chan struct{}
	arrived  bool
	report   story.Report
	err      error
	record   string
	finished chan struct{}
}

// play stores an error and does not fail the test, because other stories play at the same time.
func (c *crash) play(ctx context.Context) {
	defer close(c.finished)
	if c.requestNumber == 1 {
		c.rule, c.err = c.parts.SandboxAdmin().SetFault(ctx, fault.Rule{Kind: c.kind, Operation: "opportunities.create", Contains: string(c.reference), Times: 1})
		if c.arrive(); c.err != nil {
			return
		}
	}
	c.report, c.err = story.Play(ctx, c.parts.player(), story.Options{Reference: c.reference, Send: c.send, StepTimeout: 5 * time.Minute, Between: c.between})
	if c.arrive(); c.err == nil {
		c.record, c.err = c.parts.RecordsOf(c.report.View.Opportunity)
	}
}

// between sets the fault as soon as the record exists, and waits before the request with the number
// requestNumber.
func (c *crash) between(ctx context.Context, _ string) error {
	if c.arrived {
		return nil
	}
	if c.rule == 0 {
		view, err := c.parts.client.View(ctx, c.reference)
		if err != nil {
			return err
		}
		c.rule, err = c.parts.SandboxAdmin().SetFault(ctx, fault.Rule{Kind: c.kind, Operation: fault.AnyMutation, Contains: string(view.Opportunity), From: c.requestNumber - 1, Times: 1})
		if err != nil {
			return err
		}
	}
	status, err := c.parts.SandboxAdmin().Fault(ctx, c.rule)
	if err == nil && status.Matched == c.requestNumber-2 { // the create request came before the fault was set
		c.arrive()
	}
	return err
}

// arrive reports that the story has reached the request at which its worker is killed, and waits
// for the other stories.
func (c *crash) arrive() {
	if !c.arrived {
		c.arrived = true
		c.arrivals.Done()
		<-c.proceed
	}
}

// The test kills the worker with SIGKILL at one request of the story. The outcome of the story is
// the same as without a kill.
func TestKilledAtEveryRequest(t *testing.T) {
	t.Parallel()
	p := startParts(t, stack.Options{WorkerArgs: []string{"--api-rate", "5000"}})
	ctx, cancel := context.WithTimeout(t.Context(), 12*time.Minute)
	defer cancel()
	calm := map[story.SendMode]story.Report{}
	requests := 0
	for _, send := range []story.SendMode{story.ByUpdate, story.BySignal} {
		calm[send] = p.play(story.Options{Reference: opportunity.Reference(fmt.Sprintf("calm %d", send)), Send: send})
		requests = p.mutationsOf(calm[send].View.Opportunity)
	}
	if requests < 9 {
		t.Fatalf("the story has %d requests; want one for each of its messages", requests)
	}
	var here sync.WaitGroup
	going := make(chan struct{})
	var crashes []*crash
	// The short form of the tests kills the worker at the first request, at a middle request and at
	// the last request.
	step := testrun.Pick(t, (requests-1)/2, 1)
	for send := range calm {
		for _, kind := range []fault.Kind{fault.HoldBefore, fault.HoldAfter} {
			for k := 1; k <= requests; k += step {
				here.Add(1)
				c := &crash{
					parts: p, reference: opportunity.Reference(fmt.Sprintf("killed %d %s %d.", send, kind, k)), send: send, requestNumber: k, kind: kind,
					arrivals: &here, proceed: going, finished: make(chan struct{}),
				}
				crashes = append(crashes, c)
				go c.play(ctx)
			}
		}
	}
	here.Wait()
	close(going)
	held := func() int {
		n := 0
		faults, err := p.SandboxAdmin().Faults(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range faults {
			n += one.Held
		}
		return n
	}
	harness.Eventually(t, 30*time.Second, "every story has reached the request at which its worker is killed", func() bool { return held() == len(crashes) })
	p.Worker().Kill()
	for _, c := range crashes {
		letGo := p.SandboxAdmin().ReleaseFault
		if c.kind == fault.HoldBefore {
			letGo = p.SandboxAdmin().DiscardFault
		}
		if err := letGo(ctx, c.rule); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Worker().Start(ctx); err != nil {
		t.Fatal(err)
	}
	for _, c := range crashes {
		<-c.finished
		if c.err != nil {
			t.Errorf("%s: %v", c.reference, c.err)
			continue
		}
		for _, mismatch := range c.report.Mismatches() {
			t.Errorf("%s: %s", c.reference, mismatch)
		}
		quiet := calm[c.send]
		if diff := cmp.Diff(comparableView(t, quiet.View), comparableView(t, c.report.View)); diff != "" {
			t.Errorf("%s: view without (-) and with (+) the crash:\n%s", c.reference, diff)
		}
		if diff := cmp.Diff(withoutIDs(p.Records(quiet.View.Opportunity)), withoutIDs(strings.ReplaceAll(c.record, string(c.reference), string(quiet.Reference)))); diff != "" {
			t.Errorf("%s: records without (-) and with (+) the crash:\n%s", c.reference, diff)
		}
		p.Replay(c.reference, "crash")
	}
	t.Logf("%d stories with %d requests each; the worker of each story was killed at one request", len(crashes), requests)
}

func (p *parts) mutationsOf(id opportunity.ID) int {
	p.t.Helper()
	n := 0
	for _, entry := range p.RequestLog() {
		for _, field := range entry.Fields {
			if field.Opportunity == string(id) {
				n++
				break
			}
		}
	}
	return n
}

// comparableView returns a view without everything that differs between two runs of the same story.
func comparableView(t *testing.T, view opportunity.View) string {
	t.Helper()
	view.Timeline = nil
	// A failed request causes attention only if no caller waits for the outcome when the request
	// fails.
	view.Attention = slices.DeleteFunc(slices.Clone(view.Attention), func(a opportunity.Attention) bool { return a.Kind == opportunity.AttentionFailed })
	return withoutIDs(viewWithoutTimes(t, view))
}

var recordID = regexp.MustCompile(`T3Bwb3J0dW5pdH[A-Za-z0-9+/]*={0,2}`)

// withoutIDs numbers the ids of opportunities and interests in the order of their occurrence in the
// text, and removes the times.
func withoutIDs(text string) string {
	numbers := map[string]string{}
	text = recordID.ReplaceAllStringFunc(text, func(id string) string {
		raw, err := base64.StdEncoding.DecodeString(id)
		typ, _, _ := strings.Cut(string(raw), ":")
		if err != nil || typ != "Opportunity" && typ != "OpportunityInterest" {
			return id
		}
		if numbers[id] == "" {
			numbers[id] = fmt.Sprintf("%s %d", typ, len(numbers)+1)
		}
		return numbers[id]
	})
	return timestamps.ReplaceAllString(text, "T")
}
