package e2e_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/converter"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/stack"
)

// A won opportunity of this test takes messages for 30 days, and the TMS allows the transition from
// Won to Lost.
func startKeepOpenParts(t *testing.T) *parts {
	t.Helper()
	catalogue, err := os.ReadFile("../sandbox/catalogue/default.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const transitions = "\ntransitions:\n"
	if !strings.Contains(string(catalogue), transitions) {
		t.Fatal("the catalogue has no transitions")
	}
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return startParts(t, stack.Options{
		SandboxArgs: []string{"--catalogue", write("catalogue.yaml", strings.Replace(string(catalogue), transitions, transitions+"  - { from: 5, to: 6 }\n", 1))},
		WorkerArgs: []string{"--playbook", write("playbook.yaml", `
keepOpen: { Won: 30 days, Lost: 30 days }
transitions:
  - name: win
    to: { state: Won }
    after: [log: { message: Won }]
`)},
	})
}

// runState returns the status of the latest run and its search attribute OpportunityState, both from
// the server's own state, which has no delay.
func (p *parts) runState(ctx context.Context, reference opportunity.Reference) (enums.WorkflowExecutionStatus, opportunity.StageState) {
	p.t.Helper()
	described, err := p.temporal.DescribeWorkflowExecution(ctx, lifecycle.WorkflowID(reference), "") //nolint:staticcheck // the other one panics
	if err != nil {
		p.t.Fatal(err)
	}
	info := described.GetWorkflowExecutionInfo()
	var state opportunity.StageState
	if err := converter.GetDefaultDataConverter().FromPayload(info.GetSearchAttributes().GetIndexedFields()["OpportunityState"], &state); err != nil {
		p.t.Fatal(err)
	}
	return info.GetStatus(), state
}

func TestAWonOpportunityTakesMessages(t *testing.T) {
	t.Parallel()
	p := startKeepOpenParts(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	const reference = opportunity.Reference("withdraws")
	start := opportunity.Start{Name: "First Aid", Region: "UK", EntryStep: "Opportunity"}
	opened, err := p.client.Start(ctx, reference, start)
	if err != nil {
		t.Fatal(err)
	}
	wantEnded := func(want opportunity.StageState) {
		t.Helper()
		ended, err := p.client.Wait(ctx, reference)
		if err != nil || ended.State != want || ended.Opportunity != opened.Opportunity || ended.Interests != 1 {
			t.Fatalf("unexpected result of the run: %+v, %v; want the state %s and an interest", ended, err, want)
		}
		status, state := p.runState(ctx, reference)
		if status != enums.WORKFLOW_EXECUTION_STATUS_RUNNING || state != want {
			t.Errorf("the run is %s with the state %s; want a running run with the state %s", status, state, want)
		}
		view, err := p.client.View(ctx, reference)
		if left := time.Until(view.OpenUntil); err != nil || left < 29*24*time.Hour || left > 30*24*time.Hour {
			t.Errorf("the run is open until %s, %v; want 30 days", view.OpenUntil, err)
		}
	}
	for _, message := range []opportunity.Command{harness.Interests(1), opportunity.Progress{To: "Won"}} {
		if outcome, err := p.client.Update(ctx, reference, message); err != nil || outcome.State != opportunity.Done {
			t.Fatalf("%+v: %+v, %v", message, outcome, err)
		}
	}
	wantEnded(opportunity.Won)

	_, err = p.client.Update(ctx, reference, opportunity.Progress{To: "Archived"})
	wantError(t, err, opportunity.TransitionNotFound)
	if outcome, err := p.client.Update(ctx, reference, opportunity.Progress{To: "Lost"}); err != nil || outcome.State != opportunity.Done {
		t.Fatalf("unexpected outcome of the transition from Won to Lost: %+v, %v", outcome, err)
	}
	wantEnded(opportunity.Lost)
	if got := p.Opportunity(opened.Opportunity).Step.Name; got != "Lost" {
		t.Errorf("the record is in step %s; want Lost", got)
	}
	p.Replay(reference, "kept-open")

	if outcome, err := p.client.Update(ctx, reference, opportunity.Close{Reason: "over"}); err != nil || outcome.State != opportunity.Done {
		t.Fatalf("unexpected outcome of close: %+v, %v", outcome, err)
	}
	harness.Eventually(t, time.Minute, "the run ends", func() bool {
		return p.Status(reference) == enums.WORKFLOW_EXECUTION_STATUS_COMPLETED
	})
	_, err = p.client.Update(ctx, reference, opportunity.Progress{To: "Won"})
	wantError(t, err, opportunity.Closed)
}

// An ended opportunity is adopted again by its own reference, and by no other start.
func TestAnEndedOpportunityIsAdoptedAgain(t *testing.T) {
	t.Parallel()
	p := startKeepOpenParts(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	const reference = opportunity.Reference("returns")
	start := opportunity.Start{Name: "First Aid", Region: "UK", EntryStep: "Opportunity"}
	opened, err := p.client.Start(ctx, reference, start)
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range []opportunity.Message{harness.Interests(1), opportunity.Progress{To: "Won"}} {
		if outcome, err := p.client.Update(ctx, reference, message); err != nil || outcome.State != opportunity.Done {
			t.Fatalf("%+v: %+v, %v", message, outcome, err)
		}
	}
	adopt := opportunity.Start{Adopt: opened.Opportunity}
	_, err = p.client.Start(ctx, reference, adopt)
	wantError(t, err, opportunity.Conflict) // the opportunity has ended, but its run is open
	if _, err := p.client.Wait(ctx, reference); err != nil {
		t.Fatal(err)
	}
	if _, err := p.client.Update(ctx, reference, opportunity.Close{Reason: "over"}); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, time.Minute, "the run ends", func() bool {
		return p.Status(reference) == enums.WORKFLOW_EXECUTION_STATUS_COMPLETED
	})
	_, err = p.client.Start(ctx, reference, start)
	wantError(t, err, opportunity.Closed)
	_, err = p.client.Start(ctx, "another", adopt)
	wantError(t, err, opportunity.Conflict)
	other, err := p.client.Start(ctx, "other", start)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.client.Start(ctx, reference, opportunity.Start{Adopt: other.Opportunity})
	wantError(t, err, opportunity.Conflict)
	untagged, err := p.api.CreateOpportunity(ctx, administrate.NewOpportunity{Name: "By hand", RegionID: "UmVnaW9uOlVL"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.client.Start(ctx, reference, opportunity.Start{Adopt: opportunity.ID(untagged.ID)})
	wantError(t, err, opportunity.Conflict)

	before := p.Records(opened.Opportunity)
	again, err := p.client.Start(ctx, reference, adopt)
	if err != nil || again.Opportunity != opened.Opportunity || again.Step.Name != "Won" {
		t.Fatalf("unexpected outcome of the second adoption: %+v, %v", again, err)
	}
	if _, err := p.client.Wait(ctx, reference); err != nil {
		t.Fatal(err)
	}
	view, err := p.client.View(ctx, reference)
	if err != nil || len(view.Interests) != 1 || len(view.EffectResults) != 0 || view.OpenUntil.IsZero() {
		t.Errorf("view %+v, %v; want the interest, no effect, and an open run", view, err)
	}
	if diff := cmp.Diff(before, p.Records(opened.Opportunity)); diff != "" {
		t.Errorf("the record changed (-before +after):\n%s", diff)
	}
	if outcome, err := p.client.Update(ctx, reference, opportunity.Progress{To: "Lost"}); err != nil || outcome.State != opportunity.Done {
		t.Errorf("unexpected outcome of the transition to Lost: %+v, %v", outcome, err)
	}
	p.Replay(reference, "adopted-again")
}
