package e2e_test

import (
	"context"
	"encoding/json"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/starter/story"
)

func (p *parts) play(o story.Options) story.Report {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 8*time.Minute)
	defer cancel()
	report, err := story.Play(ctx, p.player(), o)
	for _, mismatch := range report.Mismatches() {
		p.t.Error(mismatch)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	if len(report.Results) < 10 || report.Compared() < 50 {
		p.t.Errorf("only %d steps with %d comparisons were played", len(report.Results), report.Compared())
	}
	return report
}

func TestStory(t *testing.T) {
	t.Parallel()
	p := startParts(t, stack.Options{})
	for _, way := range []struct {
		name string
		send story.SendMode
	}{{"updates", story.ByUpdate}, {"signals", story.BySignal}} {
		t.Run(way.name, func(t *testing.T) {
			reference := opportunity.Reference("story by " + way.name)
			report := p.play(story.Options{Reference: reference, Send: way.send})
			p.Replay(reference, "story-"+way.name)
			query := `OpportunityId = "` + string(report.View.Opportunity) + `" and OpportunityState = "Won" and OpportunityStep = "Won" and OpportunityRegion = "UK"` +
				` and OpportunityAccount = "` + string(report.View.Details.Account.ID) + `" and OpportunityReservedUntil > "` + time.Now().Add(24*time.Hour).Format(time.RFC3339) + `"`
			harness.Eventually(t, time.Minute, "the search attributes find the opportunity", func() bool {
				found, err := p.temporal.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: query})
				return err == nil && found.GetCount() == 1
			})
		})
	}
}

var timestamps = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^"]*`)

func viewWithoutTimes(t *testing.T, view opportunity.View) string {
	t.Helper()
	view.Reference = ""
	data, err := json.MarshalIndent(view, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return timestamps.ReplaceAllString(string(data), "T")
}

// Between any two steps of the story, the worker is stopped as in a deployment, or killed, and
// started again. The outcome of the story is the same as without a stop.
func TestStoryAcrossDeployments(t *testing.T) {
	t.Parallel()
	stop := func(ctx context.Context, p *parts) error { return p.Worker().Stop(ctx) }
	for name, send := range map[string]story.SendMode{"updates": story.ByUpdate, "signals": story.BySignal} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			playAcrossRestarts(t, name, send, stop)
		})
	}
}

// After each kill the server waits for the worker's sticky queue, so the test takes most of a
// minute. TestStoryAcrossKills is a separate test, so that it starts early.
func TestStoryAcrossKills(t *testing.T) {
	t.Parallel()
	playAcrossRestarts(t, "killed", story.ByUpdate, func(_ context.Context, p *parts) error { p.Worker().Kill(); return nil })
}

func playAcrossRestarts(t *testing.T, name string, send story.SendMode, end func(context.Context, *parts) error) {
	const reference = opportunity.Reference("deployed")
	undisturbed := startParts(t, stack.Options{})
	calm := undisturbed.play(story.Options{Reference: reference, Send: send})
	disturbed := startParts(t, stack.Options{})
	restarts := 0
	report := disturbed.play(story.Options{Reference: reference, Send: send, Between: func(ctx context.Context, _ string) error {
		restarts++
		if err := end(ctx, disturbed); err != nil {
			return err
		}
		return disturbed.Worker().Start(ctx)
	}})
	if restarts < 9 {
		t.Errorf("the worker was restarted %d times only", restarts)
	}
	if diff := cmp.Diff(viewWithoutTimes(t, calm.View), viewWithoutTimes(t, report.View)); diff != "" {
		t.Errorf("view without (-) and with (+) restarts:\n%s", diff)
	}
	if diff := cmp.Diff(undisturbed.Records(calm.View.Opportunity), disturbed.Records(report.View.Opportunity)); diff != "" {
		t.Errorf("records without (-) and with (+) restarts:\n%s", diff)
	}
	disturbed.Replay(reference, "deployed-"+name)
}

// The waiting messages are not lost, and the worker continues with the messages after its restart.
func TestMessagesWaitForTheWorker(t *testing.T) {
	t.Parallel()
	p := startParts(t, stack.Options{})
	ctx := t.Context()
	const reference = opportunity.Reference("waits")
	if _, err := p.client.Start(ctx, reference, opportunity.Start{Name: "Waits", Region: "UK"}); err != nil {
		t.Fatal(err)
	}
	if err := p.Worker().Stop(ctx); err != nil {
		t.Fatal(err)
	}
	for _, command := range []opportunity.Command{
		harness.Interests(1), opportunity.Progress{To: "Opportunity"}, harness.Interests(2), harness.Interests(3), opportunity.Progress{To: "Won"},
	} {
		if err := p.client.Signal(ctx, reference, command); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Worker().Start(ctx); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	ended, err := p.client.Wait(ctx, reference)
	if err != nil {
		t.Fatal(err)
	}
	if ended.State != opportunity.Won || ended.Interests != 3 || ended.FailedRequests != 0 {
		t.Errorf("unexpected result of the run: %+v", ended)
	}
}
