package e2e_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/stack"
)

// The scan notices a transition that a person makes in the TMS, although nobody sends a message to the
// opportunity. The opportunity then does the effects of the transition. An opportunity whose record does
// not change receives no message.
func TestScanNoticesATransitionByHand(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	book := filepath.Join(t.TempDir(), "playbook.yaml")
	rules := "transitions:\n  - name: talks\n    to: { step: Opportunity }\n    after:\n      - log: { message: \"Talks have begun\", status: success }\n"
	if err := os.WriteFile(book, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startParts(t, stack.Options{WorkerArgs: []string{"--playbook", book, "--scan-period", "1s"}})
	record := p.startProposed("moved")
	p.startProposed("quiet")

	found, err := p.api.Lookup(ctx, administrate.LookupRequest{Steps: &administrate.PageRequest{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range found.Steps {
		if step.Name != "Opportunity" {
			continue
		}
		made, err := p.api.Apply(ctx, []administrate.Mutation{administrate.Progress{OpportunityID: string(record), StepID: step.ID}})
		if err != nil || made[0].Err != nil {
			t.Fatal(err, made)
		}
	}
	harness.Eventually(t, 2*time.Minute, "the transition by hand has its effect", func() bool {
		view := p.viewOf("moved")
		return view.Step.Name == "Opportunity" && len(view.EffectResults) == 1 && view.EffectResults[0].Outcome == opportunity.EffectDone
	})
	noticed := time.Now()
	harness.Eventually(t, 2*time.Minute, "a later pass finds no changed record", func() bool {
		value, err := p.temporal.QueryWorkflow(ctx, lifecycle.ScanID, "", lifecycle.ScanOf.Name)
		var scan lifecycle.ScanState
		if err == nil {
			err = value.Get(&scan)
		}
		if err != nil {
			t.Fatal(err)
		}
		return scan.LastPass.StartedAt.After(noticed) && scan.LastPass.Runs == 2 && scan.LastPass.Changed == 0
	})
	for reference, want := range map[opportunity.Reference]bool{"moved": true, "quiet": false} {
		signals := 0
		for _, run := range p.Runs(reference) {
			for _, event := range run.GetEvents() {
				if signal := event.GetWorkflowExecutionSignaledEventAttributes(); signal.GetSignalName() == string(opportunity.MessageRefresh) {
					signals++
				}
			}
		}
		if (signals > 0) != want {
			t.Errorf("%s received %d messages", reference, signals)
		}
	}
	p.ReplayOf(lifecycle.ScanID, "scan")
	p.Replay("moved", "scan-moved")
}
