package e2e_test

import (
	"context"
	"errors"
	"testing"
	"time"

	enums "go.temporal.io/api/enums/v1"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/stack"
)

func TestRunEndings(t *testing.T) {
	t.Parallel()
	p := startParts(t, stack.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	start := opportunity.Start{Name: "First Aid course", Region: "UK"}

	t.Run("cancelled, and started again", func(t *testing.T) {
		const reference = opportunity.Reference("it's a lead")
		first, err := p.client.Start(ctx, reference, start)
		if err != nil {
			t.Fatal(err)
		}
		reserved := harness.Interests(2)
		reserved.Interests[0].Item, reserved.Interests[0].Reserve = "Q291cnNlOjE=", true
		if outcome, err := p.client.Update(ctx, reference, reserved); err != nil || outcome.Results[0].ReservedUntil == nil {
			t.Fatalf("unexpected outcome of the interest with a reservation: %+v, %v", outcome, err)
		}
		if !p.Opportunity(first.Opportunity).Reservations.Valid {
			t.Fatal("the TMS has no reservation")
		}
		if err := p.temporal.CancelWorkflow(ctx, lifecycle.WorkflowID(reference), ""); err != nil {
			t.Fatal(err)
		}
		_, err = p.client.Wait(ctx, reference)
		wantError(t, err, opportunity.Closed)
		if got := p.Status(reference); got != enums.WORKFLOW_EXECUTION_STATUS_CANCELED {
			t.Errorf("the run ended with the status %s; want Canceled", got)
		}
		record := p.Opportunity(first.Opportunity)
		if record.Reservations.Valid || record.Step.Name != "Proposed" {
			t.Errorf("after the cancellation the record has %+v and is in step %s; want the places released and the step unchanged", record.Reservations, record.Step.Name)
		}
		wantError(t, p.client.Signal(ctx, reference, opportunity.Progress{To: "Won"}), opportunity.Closed)

		p.Replay(reference, "cancelled")

		// The new run finds the record by its reference tag and creates no second record.
		again, err := p.client.Start(ctx, reference, start)
		if err != nil {
			t.Fatal(err)
		}
		if again.Opportunity != first.Opportunity {
			t.Errorf("after the second start, the opportunity has the record %s; want %s", again.Opportunity, first.Opportunity)
		}
		if outcome, err := p.client.Update(ctx, reference, opportunity.UpdateDetails{Account: "Administrate"}); err != nil || outcome.State != opportunity.Done {
			t.Errorf("unexpected outcome of updateDetails after the second start: %+v, %v", outcome, err)
		}
		if outcome, err := p.client.Update(ctx, reference, harness.Interests(1)); err != nil || outcome.State != opportunity.Done {
			t.Errorf("unexpected outcome of addInterests after the second start: %+v, %v", outcome, err)
		}
		if got := p.Opportunity(first.Opportunity).InterestCount; got != 2 {
			t.Errorf("the record has %d interests; want 2", got)
		}
		p.Replay(reference, "taken-over")
	})

	t.Run("an equal start returns the same record, a different start is a conflict", func(t *testing.T) {
		first, err := p.client.Start(ctx, "twice", start)
		if err != nil {
			t.Fatal(err)
		}
		again, err := p.client.Start(ctx, "twice", start)
		if err != nil || again.Opportunity != first.Opportunity {
			t.Errorf("an equal start: %+v, %v; want %s", again, err, first.Opportunity)
		}
		other := start
		other.Name = "Fire Safety"
		_, err = p.client.Start(ctx, "twice", other)
		wantError(t, err, opportunity.Conflict)
	})

	t.Run("after a start that the API rejected, the reference can be used again", func(t *testing.T) {
		wrong := start
		wrong.Currency = "ZZZ"
		_, err := p.client.Start(ctx, "refused", wrong)
		wantError(t, err, opportunity.Rejected)
		harness.Eventually(t, time.Minute, "the run closes", func() bool {
			return p.Status("refused") == enums.WORKFLOW_EXECUTION_STATUS_FAILED
		})
		if _, err := p.client.Start(ctx, "refused", start); err != nil {
			t.Errorf("unexpected outcome of the corrected start: %v", err)
		}
	})

	t.Run("a lost opportunity takes no messages and still returns its view", func(t *testing.T) {
		if _, err := p.client.Start(ctx, "lost", start); err != nil {
			t.Fatal(err)
		}
		if _, err := p.client.Update(ctx, "lost", opportunity.Progress{To: "Lost"}); err != nil {
			t.Fatal(err)
		}
		ended, err := p.client.Wait(ctx, "lost")
		if err != nil || ended.State != opportunity.Lost {
			t.Errorf("unexpected result of the run: %+v, %v", ended, err)
		}
		_, err = p.client.Start(ctx, "lost", start)
		wantError(t, err, opportunity.Closed)
		_, err = p.client.Update(ctx, "lost", opportunity.Progress{To: "Won"})
		wantError(t, err, opportunity.Closed)
		if view, err := p.client.View(ctx, "lost"); err != nil || view.Step.Name != "Lost" {
			t.Errorf("the view has wrong values: %+v, %v", view, err)
		}
	})

	t.Run("a reference without an opportunity", func(t *testing.T) {
		_, err := p.client.View(ctx, "nobody")
		wantError(t, err, opportunity.NotFound)
		_, err = p.client.Update(ctx, "nobody", opportunity.Progress{To: "Won"})
		wantError(t, err, opportunity.NotFound)
		wantError(t, p.client.Signal(ctx, "nobody", opportunity.Progress{To: "Won"}), opportunity.NotFound)
	})
}

func wantError(t *testing.T, err error, want opportunity.ErrorType) {
	t.Helper()
	var own *opportunity.Error
	if !errors.As(err, &own) || own.Type != want {
		t.Errorf("got %v; want %s", err, want)
	}
}
