package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

func pendingUntil(n int) func(int) opportunity.Outcome {
	return func(asked int) opportunity.Outcome {
		if asked < n {
			return opportunity.Outcome{RequestID: "r", State: opportunity.Pending}
		}
		return opportunity.Outcome{RequestID: "r", State: opportunity.Done}
	}
}

func TestAskingAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &fakeNamespace{answers: pendingUntil(3)}
		got, err := lifecycle.NewClient(n).Update(t.Context(), "A-1", progressToWon)
		if err != nil || got.State != opportunity.Done || len(n.updates) != 3 {
			t.Fatalf("%+v, %v after %d updates", got, err, len(n.updates))
		}
		for _, u := range n.updates {
			if diff := cmp.Diff(n.updates[0].Args, u.Args); diff != "" || u.UpdateID == "" {
				t.Errorf("asked again as another request: %s", diff)
			}
		}
		if n.updates[0].UpdateID == n.updates[1].UpdateID {
			t.Error("asked again under the same update, which has been answered")
		}
		if id := n.updates[0].Args[0].(opportunity.Progress).RequestID; id == "" {
			t.Error("it has no request id")
		}
		n = &fakeNamespace{answers: func(asked int) opportunity.Outcome {
			if asked < 2 {
				return opportunity.Outcome{RequestID: "r", State: opportunity.Pending}
			}
			return opportunity.Outcome{RequestID: "r", State: opportunity.Failed, Error: opportunity.Failf(opportunity.TransitionNotFound, "no way")}
		}}
		var own *opportunity.Error
		if got, err = lifecycle.NewClient(n).Update(t.Context(), "A-1", progressToWon); !errors.As(err, &own) || own.Type != opportunity.TransitionNotFound || got.State != opportunity.Failed || len(n.updates) != 2 {
			t.Errorf("%+v, %v after %d updates", got, err, len(n.updates))
		}
		n = &fakeNamespace{answers: pendingUntil(9), updateError: func(asked int) error {
			if asked == 2 {
				return serviceerror.NewUnavailable("away")
			}
			return nil
		}}
		if _, err = lifecycle.NewClient(n).Update(t.Context(), "A-1", progressToWon); err == nil || err.Error() != "away" {
			t.Errorf("%v after %d updates", err, len(n.updates))
		}
		n = &fakeNamespace{startAnswers: func(asked int) opportunity.CreateOutcome {
			if asked < 3 {
				return opportunity.CreateOutcome{State: opportunity.Pending, Reference: "A-1"}
			}
			return opportunity.CreateOutcome{State: opportunity.Done, Reference: "A-1", Opportunity: "O"}
		}}
		opened, err := lifecycle.NewClient(n).Start(t.Context(), "A-1", opportunity.Start{Name: "x", Region: "UK"})
		if err != nil || opened.State != opportunity.Done || opened.Opportunity != "O" || len(n.starts) != 3 {
			t.Errorf("%+v, %v after %d starts", opened, err, len(n.starts))
		}
	})
}

func TestMaxWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &fakeNamespace{answers: pendingUntil(1000)}
		begun := time.Now()
		c := lifecycle.NewClientWithOptions(n, lifecycle.Options{MaxWait: time.Second})
		got, err := c.Update(t.Context(), "A-1", progressToWon)
		if took := time.Since(begun); err != nil || got.State != opportunity.Pending || len(n.updates) < 2 || took > time.Second {
			t.Errorf("%+v, %v after %d updates in %s", got, err, len(n.updates), took)
		}
		if opened, err := lifecycle.NewClientWithOptions(&fakeNamespace{startAnswers: func(int) opportunity.CreateOutcome {
			return opportunity.CreateOutcome{State: opportunity.Pending}
		}}, lifecycle.Options{MaxWait: time.Millisecond}).Start(t.Context(), "A-1", opportunity.Start{Name: "x", Region: "UK"}); err != nil || opened.State != opportunity.Pending {
			t.Errorf("%+v, %v", opened, err)
		}
		// When the caller's context ends between two updates or during an update, Update still
		// returns the outcome of the update before.
		for _, during := range []bool{false, true} {
			ctx, cancel := context.WithCancel(t.Context())
			n := &fakeNamespace{answers: pendingUntil(1000)}
			n.updateError = func(asked int) error {
				if asked == 2 || !during {
					cancel()
				}
				if during && asked == 2 {
					return ctx.Err()
				}
				return nil
			}
			got, err := lifecycle.NewClientWithOptions(n, lifecycle.Options{MaxWait: time.Hour}).Update(ctx, "A-1", progressToWon)
			cancel()
			if err != nil || got.State != opportunity.Pending || got.RequestID != "r" {
				t.Errorf("during a question %t: %+v, %v", during, got, err)
			}
			if want := map[bool]int{false: 1, true: 2}[during]; len(n.updates) != want {
				t.Errorf("during a question %t: %d updates, want %d", during, len(n.updates), want)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		n = &fakeNamespace{updateError: func(int) error { return ctx.Err() }}
		if _, err := lifecycle.NewClient(n).Update(ctx, "A-1", progressToWon); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestIDsAreMadeAsTheServiceWants(t *testing.T) {
	made := 0
	n := &fakeNamespace{outcome: opportunity.Outcome{State: opportunity.Done}}
	c := lifecycle.NewClientWithOptions(n, lifecycle.Options{NewRequestID: func() string { made++; return fmt.Sprint("shop-", made) }})
	if _, err := c.Update(t.Context(), "A-1", progressToWon); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Update(t.Context(), "A-1", opportunity.Pause{}); err != nil {
		t.Fatal(err)
	}
	if err := c.Signal(t.Context(), "A-1", opportunity.Close{Reason: "x"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Update(t.Context(), "A-1", opportunity.Progress{RequestID: "mine", To: "Won"}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, sent := range []any{n.updates[0].Args[0], n.updates[1].Args[0], n.signals[3], n.updates[2].Args[0]} {
		got = append(got, sent.(opportunity.Message).GetRequestID())
	}
	if diff := cmp.Diff([]string{"shop-1", "shop-2", "shop-3", "mine"}, got); diff != "" || made != 3 {
		t.Errorf("%s, %d made", diff, made)
	}
}

// An operator command returns at once. The client sends an operator command only once, and returns
// an error when the operator command cannot be executed.
func TestOperatorCommandsAreAnswered(t *testing.T) {
	n := &fakeNamespace{outcome: opportunity.Outcome{RequestID: "r", State: opportunity.Done}}
	got, err := lifecycle.NewClient(n).Update(t.Context(), "A-1", opportunity.Close{Reason: "x"})
	if err != nil || got.State != opportunity.Done || len(n.updates) != 1 {
		t.Errorf("%+v, %v after %d updates", got, err, len(n.updates))
	}
	want := opportunity.Failf(opportunity.NotFound, "there is no open question about request %q", "r")
	n = &fakeNamespace{updateError: func(int) error { return throughTemporal(lifecycle.ToTemporalError(want)) }}
	_, err = lifecycle.NewClient(n).Update(t.Context(), "A-1", opportunity.Retry{Request: "r"})
	var own *opportunity.Error
	if !errors.As(err, &own) || *own != *want {
		t.Errorf("got %v", err)
	}
}

// The server accepts at most ten thousand signals for one run.
func TestBusy(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{serviceerror.NewInvalidArgument("exceeded workflow execution limit for signal events"), "Busy: too many messages wait for opportunity A-1; send the message again later"},
		{serviceerror.NewInvalidArgument("SignalName is not set on request."), "SignalName is not set on request."},
		{serviceerror.NewResourceExhausted(0, "namespace rate limit exceeded"), "namespace rate limit exceeded"},
	} {
		n := &fakeNamespace{updateError: func(int) error { return c.err }}
		for what, message := range map[string]opportunity.Message{"command": progressToWon, "instruction": opportunity.Pause{}} {
			if err := lifecycle.NewClient(n).Signal(t.Context(), "A-1", message); err == nil || err.Error() != c.want {
				t.Errorf("%s: got %v, want %s", what, err, c.want)
			}
		}
	}
}

func TestOutcomeOfARequest(t *testing.T) {
	want := opportunity.Outcome{RequestID: "order-7", State: opportunity.Failed, Error: opportunity.Failf(opportunity.Rejected, "no")}
	n := &fakeNamespace{outcome: want}
	got, err := lifecycle.NewClient(n).Outcome(t.Context(), "A-1", "order-7")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%s, %v", diff, err)
	}
	if diff := cmp.Diff([]any{"opportunity/A-1", "", "outcome", []any{lifecycle.OutcomeInput{RequestID: "order-7"}}}, n.queries); diff != "" {
		t.Error(diff)
	}
	codec := temporal.GetDefaultFailureConverter()
	unknown := opportunity.Failf(opportunity.NotFound, "no request %q; the last 10000 are remembered", "order-8")
	for _, c := range []struct {
		name   string
		err    error
		exists bool
		want   string
	}{
		{"no such request", &serviceerror.QueryFailed{Message: "x", Failure: codec.ErrorToFailure(lifecycle.ToTemporalError(unknown))}, true, unknown.Error()},
		{"a failure that is not ours", &serviceerror.QueryFailed{Message: "x", Failure: codec.ErrorToFailure(errors.New("out of memory"))}, true, "x"},
		{"a failure without a reason", &serviceerror.QueryFailed{Message: "x"}, true, "x"},
		{"no such opportunity", serviceerror.NewNotFound("x"), false, "NotFound: there is no opportunity A-1; start the opportunity first"},
	} {
		n := &fakeNamespace{queryError: c.err, exists: c.exists}
		if _, err := lifecycle.NewClient(n).Outcome(t.Context(), "A-1", "order-8"); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
		if _, err := lifecycle.NewClient(n).View(t.Context(), "A-1"); err == nil || err.Error() != c.want {
			t.Errorf("%s, view: got %v, want %s", c.name, err, c.want)
		}
	}
	var own *opportunity.Error
	n = &fakeNamespace{queryError: &serviceerror.QueryFailed{Message: "x", Failure: codec.ErrorToFailure(lifecycle.ToTemporalError(unknown))}}
	if _, err := lifecycle.NewClient(n).Outcome(t.Context(), "A-1", "order-8"); !errors.As(err, &own) || own.Type != opportunity.NotFound {
		t.Errorf("got %v", err)
	}
}
