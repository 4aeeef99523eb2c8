package e2e_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings/testrun"
	"github.com/oppflow/oppflow/stack"
)

// Runs are reset once or twice, as an operator does in the Web UI. The first reset goes to each
// workflow task in the long form of the tests, and to every fourth workflow task in the short form.
// After a reset, Oppflow makes no change again, and the new run continues.
func TestResetRepeatsNothing(t *testing.T) {
	t.Parallel()
	p := startParts(t, stack.Options{WorkerArgs: []string{"--api-rate", "5000"}})
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	first := p.startWithMessages(ctx, "reset 0")
	points := resetPoints(p.Runs("reset 0")[0])
	if len(points) < 6 {
		t.Fatalf("only %d points to reset to", len(points))
	}
	var resets sync.WaitGroup
	for n := 0; n < len(points); n += testrun.Pick(t, 4, 1) {
		for _, again := range []bool{false, true} {
			if n == 0 && !again {
				continue // the reference "reset 0" covers this case
			}
			resets.Go(func() {
				reference := opportunity.Reference(fmt.Sprintf("reset %d %v", n, again))
				record := p.startWithMessages(ctx, reference)
				// The run of this reference may have more or fewer history events than the run of
				// "reset 0".
				run := p.Runs(reference)[0]
				at := resetPoints(run)
				p.reset(ctx, reference, at[min(n, len(at)-1)])
				if again { // the larger n is, the later the second reset comes
					// The new run reads the record back after a send window and a settle time.
					due := time.Now().Add(time.Duration(n) * (harness.SendWindow + harness.SettleTime) / 6)
					for at = nil; len(at) == 0 || time.Now().Before(due); at = resetPoints(p.Runs(reference)[0]) {
						select {
						case <-time.After(100 * time.Millisecond):
						case <-ctx.Done():
							return
						}
					}
					p.reset(ctx, reference, at[len(at)/2])
				}
				p.afterReset(ctx, reference, record)
			})
		}
	}
	p.reset(ctx, "reset 0", points[0])
	p.afterReset(ctx, "reset 0", first)
	resets.Wait()
}

// startWithMessages starts an opportunity and sends several messages, which all take effect.
func (p *parts) startWithMessages(ctx context.Context, reference opportunity.Reference) opportunity.ID {
	opened, err := p.client.Start(ctx, reference, opportunity.Start{Name: "Reset", Region: "UK"})
	if err != nil {
		p.t.Error(err)
		return ""
	}
	event := harness.Interests(2)
	event.Interests[0].Item, event.Interests[0].Reserve = "Q291cnNlOjE=", true
	path := harness.Interests(3)
	path.Interests[0].Item = "TGVhcm5pbmdQYXRoOjE="
	for _, command := range []opportunity.Command{harness.Interests(1), event, opportunity.Progress{To: "Opportunity"}, opportunity.UpdateDetails{Name: "Renamed"}, path} {
		if outcome, err := p.client.Update(ctx, reference, command); err != nil || outcome.State != opportunity.Done {
			p.t.Errorf("%s: %s: %+v, %v", reference, command.MessageName(), outcome, err)
		}
	}
	return opened.Opportunity
}

func resetPoints(history *historypb.History) []int64 {
	var ids []int64
	for _, event := range history.Events {
		if event.GetEventType() == enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			ids = append(ids, event.GetEventId())
		}
	}
	return ids
}

func (p *parts) reset(ctx context.Context, reference opportunity.Reference, at int64) {
	_, err := p.temporal.ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: p.Namespace(), WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: lifecycle.WorkflowID(reference)},
		Reason: "an operator tries", WorkflowTaskFinishEventId: at, RequestId: uuid.NewString(),
	})
	if err != nil {
		p.t.Errorf("%s: reset to event %d: %v", reference, at, err)
	}
}

// afterReset sends one more message. afterReset asserts that the new message and all earlier
// messages took effect once.
func (p *parts) afterReset(ctx context.Context, reference opportunity.Reference, record opportunity.ID) {
	tokens := harness.Interests(4)
	tokens.Interests[0].Item, tokens.RequestID = "VG9rZW5UeXBlOjg4NDhhM2IzOGFkZjQ1ZGI4ZmY2MGZhZmNiZDNiM2Y2", "after"
	if err := p.client.Signal(ctx, reference, tokens); err != nil {
		p.t.Errorf("%s: %v", reference, err)
		return
	}
	deadline := time.Now().Add(4 * time.Minute)
	for {
		view, err := p.client.View(ctx, reference)
		if err == nil && len(view.Queue) == 0 && len(view.Interests) == 4 && view.Opportunity != "" {
			if view.Opportunity != record || view.Step.Name != "Opportunity" || view.Details.Name != "Renamed" || view.Failures != 0 || view.Question != nil || len(view.Attention) != 0 {
				p.t.Errorf("%s: after the reset: %+v", reference, view)
			}
			break
		}
		if time.Now().After(deadline) {
			p.t.Errorf("%s: not done after the reset: %+v, %v", reference, view, err)
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
	found, err := p.api.Opportunity(ctx, string(record))
	if err != nil || found.InterestCount != 4 || found.Step.Name != "Opportunity" {
		p.t.Errorf("%s: the record has %d interests and is in step %q: %v", reference, found.InterestCount, found.Step.Name, err)
	}
	if n := p.mutationsOf(record); n != 7 {
		p.t.Errorf("%s: %d requests changed the record; want 7, each once", reference, n)
	}
}
