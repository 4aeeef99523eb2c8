package lifecycle_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

func TestNothingInvalidIsSent(t *testing.T) {
	n := &fakeNamespace{}
	c := lifecycle.NewClient(n)
	ctx := t.Context()
	for what, try := range map[string]func(opportunity.Reference, bool) error{
		"start": func(r opportunity.Reference, ok bool) error {
			start := opportunity.Start{Name: "x", Region: "UK"}
			if !ok {
				start.Name = ""
			}
			_, err := c.Start(ctx, r, start)
			return err
		},
		"update": func(r opportunity.Reference, ok bool) error {
			_, err := c.Update(ctx, r, opportunity.Progress{To: pick(ok, "Won")})
			return err
		},
		"signal": func(r opportunity.Reference, ok bool) error {
			return c.Signal(ctx, r, opportunity.Progress{To: pick(ok, "Won")})
		},
		"retry": func(r opportunity.Reference, ok bool) error {
			_, err := c.Update(ctx, r, opportunity.Retry{Request: pick(ok, "r")})
			return err
		},
		"extend": func(r opportunity.Reference, ok bool) error {
			command := opportunity.ExtendReservations{}
			if ok {
				command.Until = time.Now()
			}
			_, err := c.Update(ctx, r, command)
			return err
		},
		"pause": func(r opportunity.Reference, ok bool) error {
			_, err := c.Update(ctx, r, opportunity.Pause{Reason: pick(!ok, "\a")})
			return err
		},
		"resume": func(r opportunity.Reference, ok bool) error {
			_, err := c.Update(ctx, r, opportunity.Resume{RequestID: pick(!ok, "#1")})
			return err
		},
		"refresh": func(r opportunity.Reference, ok bool) error {
			_, err := c.Update(ctx, r, opportunity.Refresh{RequestID: pick(!ok, "#1")})
			return err
		},
		"snooze": func(r opportunity.Reference, ok bool) error {
			_, err := c.Update(ctx, r, opportunity.Snooze{FollowUp: pick(ok, "f"), Until: time.Now()})
			return err
		},
		"cancel": func(r opportunity.Reference, ok bool) error {
			_, err := c.Update(ctx, r, opportunity.CancelFollowUp{FollowUp: "f", Reason: pick(ok, "x")})
			return err
		},
		"close": func(r opportunity.Reference, ok bool) error {
			_, err := c.Update(ctx, r, opportunity.Close{Reason: pick(ok, "x")})
			return err
		},
		"signal of an instruction": func(r opportunity.Reference, ok bool) error {
			return c.Signal(ctx, r, opportunity.Close{Reason: pick(ok, "x")})
		},
		"adopt": func(r opportunity.Reference, ok bool) error {
			_, err := c.Start(ctx, r, opportunity.Start{Adopt: opportunity.ID(pick(ok, "T3Bwb3J0dW5pdHk6MQ==")), Name: pick(!ok, "x")})
			return err
		},
		"skip": func(r opportunity.Reference, ok bool) error {
			_, err := c.Update(ctx, r, opportunity.Skip{Request: "r", Reason: pick(ok, "x")})
			return err
		},
	} {
		for _, err := range []error{try("ada@example.com", true), try("A-1", false)} {
			var own *opportunity.Error
			if !errors.As(err, &own) || own.Type != opportunity.Invalid {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	for what, err := range map[string]error{"outcome": errorOf(c.Outcome(ctx, "ada@example.com", "r")), "view": errorOf(c.View(ctx, "ada@example.com"))} {
		var own *opportunity.Error
		if !errors.As(err, &own) || own.Type != opportunity.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	if len(n.updates)+len(n.starts)+len(n.signals)+len(n.queries) > 0 {
		t.Errorf("sent %v, %v, %v", n.updates, n.starts, n.signals)
	}
}

func errorOf[A any](_ A, err error) error { return err }

func pick(ok bool, text string) string {
	if ok {
		return text
	}
	return ""
}

func TestAMessageThatIsTooLargeIsNotSent(t *testing.T) {
	n := &fakeNamespace{}
	c := lifecycle.NewClient(n)
	var large opportunity.Interests
	for range 100 {
		large = append(large, opportunity.Interest{
			Item: "x", Kind: opportunity.Course, Quantity: 1,
			Learners: slices.Repeat([]opportunity.Learner{{FirstName: strings.Repeat("x", 250), LastName: "x", Email: "a@b"}}, 100),
		})
	}
	_, started := c.Start(t.Context(), "A-1", opportunity.Start{Name: "x", Region: "UK", Interests: large})
	_, updated := c.Update(t.Context(), "A-1", opportunity.AddInterests{Interests: large})
	signalled := c.Signal(t.Context(), "A-1", opportunity.AddInterests{Interests: large})
	for _, err := range []error{started, updated, signalled} {
		if own, is := lifecycle.FromTemporalError(err); !is || own.Type != opportunity.Invalid || !strings.Contains(own.Message, "the limit is 262144 bytes") {
			t.Errorf("got %v", err)
		}
	}
	if len(n.starts)+len(n.updates)+len(n.signals) > 0 {
		t.Error("it was sent")
	}
}
