package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"golang.org/x/sync/errgroup"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/sandbox/requestlog"
	"github.com/oppflow/oppflow/settings/testrun"
	"github.com/oppflow/oppflow/stack"
)

// The API accepts a request, freezes, and commits the change long after the client has stopped
// waiting. The workflow reads the record back, asks no operator, and sends nothing twice.
func TestLateCommitIsFoundByReadingBack(t *testing.T) {
	t.Parallel()
	p := startParts(t, stack.Options{WorkerArgs: harness.DefaultTimes()})
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	const reference = opportunity.Reference("late")
	opened, err := p.client.Start(ctx, reference, opportunity.Start{Name: "Late", Region: "UK"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Sandbox().Pause(); err != nil {
		t.Fatal(err)
	}
	if err := p.client.Signal(ctx, reference, harness.Interests(7)); err != nil {
		t.Fatal(err)
	}
	// The timer of the settle time in the history shows that the client no longer waits for the
	// response.
	harness.Eventually(t, 2*time.Minute, "the client no longer waits for the response", func() bool {
		for _, event := range p.Runs(reference)[0].Events {
			if event.GetEventType() == enums.EVENT_TYPE_TIMER_STARTED && bytes.Contains(event.GetUserMetadata().GetSummary().GetData(), []byte("settle")) {
				return true
			}
		}
		return false
	})
	if err := p.Sandbox().Continue(); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, time.Minute, "the view shows the interest", func() bool {
		view, err := p.client.View(ctx, reference)
		if err != nil {
			t.Fatal(err)
		}
		return len(view.Queue) == 0 && len(view.Interests) == 1 && len(view.Attention) == 0
	})
	if p.readBackCount(reference) == 0 {
		t.Error("the record was not read back; the test does not check a lost response")
	}
	if got := p.Opportunity(opened.Opportunity).InterestCount; got != 1 {
		t.Errorf("the record has %d interests; want the one interest that was sent once", got)
	}
	p.Replay(reference, "late-commit")
}

// One API request contains an interest and a transition. The API rejects the interest and makes the
// transition, and the response is lost. Oppflow reports the interest as failed, and does not send
// the interest after the transition.
func TestFailedInterestIsNotSentAfterALaterTransition(t *testing.T) {
	t.Parallel()
	p := startParts(t, stack.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	const reference = opportunity.Reference("order")
	if _, err := p.client.Start(ctx, reference, opportunity.Start{Name: "Order", Region: "UK"}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.SandboxAdmin().SetFault(ctx, fault.Rule{Kind: fault.FailField, Operation: "opportunities.addInterest", Times: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.client.Update(ctx, reference, opportunity.Pause{}); err != nil {
		t.Fatal(err)
	}
	first := harness.Interests(1)
	first.RequestID = "first"
	for _, command := range []opportunity.Command{first, opportunity.Progress{To: "Opportunity"}, harness.Interests(2)} {
		if err := p.client.Signal(ctx, reference, command); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.client.Update(ctx, reference, opportunity.Resume{}); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, time.Minute, "all requests have an outcome", func() bool {
		view, err := p.client.View(ctx, reference)
		return err == nil && len(view.Queue) == 0 && len(view.Interests) == 1 && view.Question == nil
	})
	outcome, err := p.client.Outcome(ctx, reference, "first")
	if err != nil || outcome.State != opportunity.Failed || outcome.Error.Type != opportunity.Rejected || outcome.Error.Message == "" {
		t.Errorf("got %+v, %v", outcome, err)
	}
	var order []string
	for _, entry := range p.RequestLog() {
		for _, field := range entry.Fields {
			if field.Outcome == requestlog.Committed {
				order = append(order, field.Name)
			}
		}
	}
	if want := []string{"opportunities.create", "opportunities.progress", "opportunities.addInterest"}; !slices.Equal(order, want) {
		t.Errorf("the API committed the changes %v; want %v", order, want)
	}
}

func (p *parts) interestsOf(records map[opportunity.Reference]opportunity.ID) int {
	p.t.Helper()
	n := 0
	for _, record := range records {
		n += p.Opportunity(record).InterestCount
	}
	return n
}

func (p *parts) readBackCount(reference opportunity.Reference) int {
	p.t.Helper()
	n := 0
	for _, run := range p.Runs(reference) {
		for _, event := range run.Events {
			if event.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName() == activities.ReadOpportunity {
				n++
			}
		}
	}
	return n
}

// The worker is killed several times while requests for several opportunities are under way. Each
// message takes effect once.
func TestKilledWhileItSends(t *testing.T) {
	t.Parallel()
	p := startParts(t, stack.Options{WorkerArgs: []string{"--api-rate", "5000"}})
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	messages, opportunities, kills := testrun.Pick(t, 30, 60), testrun.Pick(t, 3, 6), testrun.Pick(t, 2, 4)
	items := []string{"Q291cnNlVGVtcGxhdGU6MTE=", "Q291cnNlOjE=", "TGVhcm5pbmdQYXRoOjE=", "Q291cnNlVGVtcGxhdGU6MTI="}
	records := map[opportunity.Reference]opportunity.ID{}
	senders, sending := errgroup.WithContext(ctx)
	for n := range opportunities {
		reference := opportunity.Reference(fmt.Sprintf("killed %d", n))
		opened, err := p.client.Start(ctx, reference, opportunity.Start{Name: "Killed", Region: "UK"})
		if err != nil {
			t.Fatal(err)
		}
		records[reference] = opened.Opportunity
		senders.Go(func() error {
			for i := range messages {
				command := harness.Interests(i + 1)
				command.Interests[0].Item = items[i%len(items)]
				if err := p.client.Signal(sending, reference, command); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for range kills {
		before := p.interestsOf(records)
		harness.Eventually(t, 3*time.Minute, "the worker sends requests", func() bool {
			now := p.interestsOf(records)
			return now > before || now == messages*len(records)
		})
		p.Worker().Kill()
		if err := p.Worker().Start(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := senders.Wait(); err != nil {
		t.Fatal(err)
	}
	readBacks := 0
	for reference, record := range records {
		var view opportunity.View
		harness.Eventually(t, 6*time.Minute, "every message has taken effect or has a question", func() bool {
			var err error
			view, err = p.client.View(ctx, reference)
			return err == nil && (len(view.Queue) == 0 || view.Question != nil)
		})
		readBacks += p.readBackCount(reference)
		if view.Question != nil { // a question is rare, but is no mistake
			t.Logf("%s: %s", reference, view.Question.Text)
			continue
		}
		if got := p.Opportunity(record).InterestCount; got != messages || len(view.Interests) != messages || view.Failures > 0 {
			t.Errorf("%s: the record has %d interests, the view has %d interests, and %d requests failed; want %d interests and no failed request",
				reference, got, len(view.Interests), view.Failures, messages)
		}
		quantities := map[int]bool{}
		for _, held := range view.Interests {
			quantities[held.Quantity] = true
		}
		if len(quantities) != messages {
			t.Errorf("%s: %d different interests; want %d", reference, len(quantities), messages)
		}
		p.Replay(reference, "killed")
	}
	if readBacks == 0 {
		t.Error("no kill interrupted a request; the test does not check lost responses")
	}
}
