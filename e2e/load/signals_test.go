package load_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	enums "go.temporal.io/api/enums/v1"
	"golang.org/x/sync/errgroup"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/stack"
)

// Two thousand signals of three kinds, from five senders at once, reach one opportunity over
// several runs. Each signal takes effect once, in the order of the history events
// WorkflowExecutionSignaled. The steps form a ring, so a transition that is repeated or out of
// order is not configured. The ids of the interests show the order in which the interests were
// added.
func TestTwoThousandSignals(t *testing.T) {
	t.Parallel()
	p := startParts(t, stack.Options{
		SandboxArgs: []string{"--catalogue", "testdata/ring.yaml"}, WorkerArgs: []string{"--api-rate", "5000"},
		DynamicConfig: map[string]any{"limit.historyCount.suggestContinueAsNew": scaled(t, 600)},
	})
	const reference = opportunity.Reference("two thousand")
	moves := scaled(t, 1000)
	adds := scaled(t, opportunity.MaxInterests)
	names := scaled(t, 500)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	opened, err := p.Client.Start(ctx, reference, opportunity.Start{Name: "Ring", Region: "UK", EntryStep: "Lap 0"})
	if err != nil {
		t.Fatal(err)
	}
	senders, sending := errgroup.WithContext(ctx)
	send := func(n int, command func(int) opportunity.Command) {
		senders.Go(func() error {
			for i := range n {
				if err := p.Client.Signal(sending, reference, command(i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	// Each transition depends on the transition before, so one sender sends all transitions.
	send(moves, func(i int) opportunity.Command {
		return opportunity.Progress{To: fmt.Sprintf("Lap %d", (i+1)%ringSteps)}
	})
	for sender := range 2 {
		send(adds/2, func(i int) opportunity.Command { return harness.Interests(2*i + sender + 1) })
		send(names/2, func(i int) opportunity.Command {
			return opportunity.UpdateDetails{Name: fmt.Sprintf("name %d of sender %d", i, sender)}
		})
	}
	if err := senders.Wait(); err != nil {
		t.Fatal(err)
	}
	var view opportunity.View
	harness.Eventually(t, 8*time.Minute, "all signals are applied", func() bool {
		view, err = p.Client.View(ctx, reference)
		if err != nil {
			t.Fatal(err)
		}
		return len(view.Queue) == 0
	})

	shown := p.Metadata(reference)
	if !strings.Contains(shown.GetCurrentDetails(), "two thousand") || !strings.Contains(shown.GetCurrentDetails(), view.Step.Name) {
		t.Errorf("the details of the last run: %q", shown.GetCurrentDetails())
	}
	for _, definition := range slices.Concat(shown.GetDefinition().GetSignalDefinitions(), shown.GetDefinition().GetUpdateDefinitions()) {
		if definition.GetDescription() == "" {
			t.Errorf("the message %s has no description", definition.GetName())
		}
	}

	signalled := p.receivedSignals(reference)
	if got := len(signalled); got != moves+adds+names {
		t.Fatalf("the histories have %d signals; want %d", got, moves+adds+names)
	}
	var wantQuantities []int
	var wantName string
	for _, signal := range signalled {
		if len(signal.Interests) > 0 {
			wantQuantities = append(wantQuantities, signal.Interests[0].Quantity)
		}
		if signal.Name != "" {
			wantName = signal.Name
		}
	}
	if slices.IsSorted(wantQuantities) {
		t.Error("the senders did not send at the same time; the test does not check the order of history events")
	}
	var quantities []int
	for _, held := range view.Interests {
		quantities = append(quantities, held.Quantity)
	}
	if diff := cmp.Diff(wantQuantities, quantities); diff != "" {
		t.Errorf("interests in the order of events (-want +got):\n%s", diff)
	}
	if want := fmt.Sprintf("Lap %d", moves%ringSteps); view.Step.Name != want || view.Details.Name != wantName {
		t.Errorf("the view has the step %q and the name %q; want %q and %q", view.Step.Name, view.Details.Name, want, wantName)
	}
	if view.Failures != 0 || len(view.Attention) != 0 {
		t.Errorf("%d requests failed, attention %+v", view.Failures, view.Attention)
	}
	record, err := p.API.Opportunity(ctx, string(opened.Opportunity))
	if err != nil {
		t.Fatal(err)
	}
	if record.InterestCount != adds || record.Name != wantName || record.Step.Name != view.Step.Name {
		t.Errorf("the record has %d interests, is in step %q and has the name %q", record.InterestCount, record.Step.Name, record.Name)
	}
	runs := p.Runs(reference)
	if len(runs) < 3 {
		t.Errorf("%d runs; want several", len(runs))
	}
	for n, run := range runs {
		t.Logf("run %d: %d events", n+1, len(run.Events))
	}
	if err := p.Client.Signal(ctx, reference, opportunity.Progress{To: "Won"}); err != nil {
		t.Fatal(err)
	}
	ended, err := p.Client.Wait(ctx, reference)
	if err != nil || ended.State != opportunity.Won {
		t.Errorf("unexpected result of the run: %+v, %v", ended, err)
	}
	p.Replay(reference, "two-thousand")
}

type signal struct {
	To        string                `json:"to"`
	Name      string                `json:"name"`
	Interests opportunity.Interests `json:"interests"`
}

// receivedSignals returns the signals of all runs in the order of their events.
func (p *parts) receivedSignals(reference opportunity.Reference) []signal {
	p.T.Helper()
	var all []signal
	for _, run := range p.Runs(reference) {
		for _, event := range run.Events {
			if event.GetEventType() != enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED {
				continue
			}
			var one signal
			payload := event.GetWorkflowExecutionSignaledEventAttributes().GetInput().GetPayloads()[0]
			if err := json.Unmarshal(payload.GetData(), &one); err != nil {
				p.T.Fatal(err)
			}
			all = append(all, one)
		}
	}
	return all
}
