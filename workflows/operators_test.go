package workflows_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

var transports = []string{"update", "signal"}

// sendOperatorCommand stores the result of an update under the id.
func (s *fixture) sendOperatorCommand(way, id string, message opportunity.Message) {
	if way == "update" {
		s.update(id, string(message.MessageName()), message)
		return
	}
	s.env.SignalWorkflow(string(message.MessageName()), message)
}

func (s *fixture) wantDoneBy(way string, ids ...string) {
	s.t.Helper()
	if way == "update" {
		s.wantDone(ids...)
	}
}

func (s *fixture) ended() opportunity.RunResult {
	s.t.Helper()
	var ended opportunity.RunResult
	if err := s.env.GetWorkflowResult(&ended); err != nil {
		s.t.Fatal(err)
	}
	return ended
}

func (s *fixture) wantClosed(ids ...string) {
	s.t.Helper()
	for _, id := range ids {
		got := s.results[id]
		if got == nil || got.outcome.State != opportunity.Failed || got.outcome.Error == nil || got.outcome.Error.Type != opportunity.Closed ||
			!strings.Contains(got.outcome.Error.Message, "sold elsewhere") {
			s.t.Errorf("update %s: got %+v; want it failed as Closed, with the reason", id, got)
		}
	}
}

func (s *fixture) outcomeOf(request any) (opportunity.Outcome, error) {
	var outcome opportunity.Outcome
	value, err := s.env.QueryWorkflow(lifecycle.OutcomeOf.Name, request)
	if err == nil {
		err = value.Get(&outcome)
	}
	return outcome, err
}

func (s *fixture) attention() []string {
	words, _ := s.searchAttributes.GetKeywordList(lifecycle.OpportunityAttention)
	return words
}

func unreachableResult(after time.Duration) activities.CallResult {
	return activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnreachable, RetryAfter: after}
}

func unreachableApply(after time.Duration) *activities.ApplyResult {
	return &activities.ApplyResult{CallResult: unreachableResult(after)}
}

var (
	pauseCommand = opportunity.Pause{RequestID: "pause-1", Reason: "audit"}
	closeCommand = opportunity.Close{Reason: "sold elsewhere"}
)

func TestPause(t *testing.T) {
	for _, way := range transports {
		t.Run(way, func(t *testing.T) {
			s := newFixture(t)
			known := add(1)
			known.RequestID = "known"
			s.at(500*time.Millisecond, func() { s.update("before", "addInterests", known) })
			s.at(1*time.Second, func() {
				s.sendOperatorCommand(way, "p", pauseCommand)
			})
			s.at(1500*time.Millisecond, func() { // before any other message
				if !slices.Equal(s.attention(), []string{"paused"}) {
					t.Errorf("found by %v", s.attention())
				}
			})
			s.at(2*time.Second, func() {
				s.env.SignalWorkflow("addInterests", add(2))
				s.update("refused", "addInterests", add(9))
				s.env.SignalWorkflow("updateDetails", opportunity.UpdateDetails{Name: "a"})
				s.env.SignalWorkflow("extendReservations", opportunity.ExtendReservations{Until: s.env.Now().AddDate(0, 1, 0)})
				s.update("again", "addInterests", known)
				s.update("p again", "pause", pauseCommand)
			})
			s.at(10*time.Minute, func() {
				view := s.view()
				if view.Paused == nil || view.Paused.Reason != "audit" || len(view.Queue) != 3 || s.tms.applies != 1 {
					t.Errorf("paused: %+v, queue %+v, %d requests", view.Paused, view.Queue, s.tms.applies)
				}
				if len(view.Attention) != 1 || view.Attention[0].Kind != opportunity.AttentionPaused || !slices.Equal(s.attention(), []string{"paused"}) {
					t.Errorf("attention: view %+v, found by %v", view.Attention, s.attention())
				}
				s.sendOperatorCommand(way, "r", opportunity.Resume{RequestID: "resume-1"})
			})
			s.at(11*time.Minute, func() {
				s.sendOperatorCommand(way, "p once more", pauseCommand) // a repetition of p, which must not pause again
			})
			s.at(12*time.Minute, func() {
				if view := s.view(); view.Paused != nil || len(view.Attention) != 1 || !slices.Equal(s.attention(), []string{"failed"}) { // there are no places to reserve
					t.Errorf("resumed: %+v, attention %+v, found by %v", view.Paused, view.Attention, s.attention())
				}
			})
			s.winAt(13 * time.Minute)
			s.run(start, nil)
			s.wantDone("before", "again", "p again")
			s.wantDoneBy(way, "p", "r", "p once more")
			s.wantRefused("refused", opportunity.Paused)
			s.wantLog("create", "interest 1", "interest 2", "update a", "extend until 2026-12-23", "progress Opportunity", "progress Won")
		})
	}
}

// Signals that come before an update in the same workflow task are handled before the update.
func TestAnUpdateBehindAPause(t *testing.T) {
	for want, message := range map[opportunity.ErrorType]opportunity.Message{opportunity.Paused: pauseCommand, opportunity.Closed: closeCommand} {
		t.Run(string(message.MessageName()), func(t *testing.T) {
			s := newFixture(t)
			s.at(time.Second, func() {
				s.env.SignalWorkflowSkippingWorkflowTask(string(message.MessageName()), message)
				s.update("i", "addInterests", add(1))
				s.at(time.Minute, s.env.CancelWorkflow)
			})
			s.run(start, nil)
			var application *temporal.ApplicationError
			if got := s.results["i"]; !errors.As(errors.Join(got.rejected, got.err), &application) || application.Type() != string(want) {
				t.Errorf("got %+v; want %s", got, want)
			}
			s.wantLog("create")
		})
	}
}

// A request that is in progress when a pause begins is completed, and its result counts.
func TestPauseDuringARequest(t *testing.T) {
	s := newFixture(t)
	s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if n == 1 {
			s.env.SignalWorkflow("pause", opportunity.Pause{})
			return true, nil, errors.New("lost") // the request is still read back
		}
		return true, nil, nil
	}
	s.at(0, func() { // the first two are sent in one batch
		s.env.SignalWorkflow("addInterests", addIn(1))
		s.env.SignalWorkflow("progress", to("Opportunity"))
		s.env.SignalWorkflow("progress", to("Won"))
	})
	s.at(time.Hour, func() {
		if view := s.view(); len(view.Interests) != 1 || len(view.Queue) != 1 || view.Step.Name != "Opportunity" || s.tms.applies != 1 {
			t.Errorf("view %+v after %d requests", view, s.tms.applies)
		}
		s.env.SignalWorkflow("resume", opportunity.Resume{})
	})
	s.run(start, nil)
	s.wantLog("create", "interest 1", "progress Opportunity", "progress Won")
}

func TestPauseBeforeTheRecordExists(t *testing.T) {
	for _, way := range transports {
		t.Run(way, func(t *testing.T) {
			s := newFixture(t)
			s.at(0, func() {
				s.sendOperatorCommand(way, "p", pauseCommand)
				s.env.SignalWorkflow("addInterests", add(1))
			})
			s.at(time.Second, func() { s.update("open", "opened", lifecycle.CreateOutcomeInput{Start: &start}) })
			s.at(time.Hour, func() {
				if view := s.view(); s.tms.creates > 0 || view.Paused == nil || len(view.Queue) != 1 || !slices.Equal(s.attention(), []string{"paused"}) {
					t.Errorf("paused: %+v, %d creates, found by %v", view, s.tms.creates, s.attention())
				}
				s.sendOperatorCommand(way, "r", opportunity.Resume{})
			})
			s.winAt(61 * time.Minute)
			s.run(start, nil)
			s.wantDoneBy(way, "p", "r")
			s.wantLog("create", "interest 1", "progress Opportunity", "progress Won")
			if got := s.results["open"].opened; got.State != opportunity.Pending {
				t.Errorf("opened: got %+v; want pending", got)
			}
		})
	}
}

func TestAPauseIsCarriedOn(t *testing.T) {
	first := newFixture(t)
	first.tms.apply = func(int, activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		first.env.SetContinueAsNewSuggested(true)
		first.update("late", "addInterests", add(2)) // rejected: the run is about to continue as new
		first.update("p", "pause", pauseCommand)     // an operator command is not rejected
		first.env.SignalWorkflow("addInterests", add(3))
		return true, nil, nil
	}
	first.at(time.Second, func() { first.update("early", "addInterests", add(1)) })
	first.run(start, nil)
	first.wantDone("early", "p")
	first.wantRefused("late", opportunity.Continuing)
	state := first.continued()
	if state.Paused == nil || len(state.Queue) != 1 {
		t.Fatalf("carried: paused %+v, queue %+v", state.Paused, state.Queue)
	}
	second := newFixtureOver(t, first.tms)
	second.at(time.Hour, func() {
		if second.tms.applies > 0 {
			t.Error("something was sent")
		}
		second.update("p again", "pause", pauseCommand)
		second.update("r", "resume", opportunity.Resume{})
	})
	second.winAt(2 * time.Hour)
	second.run(nil, state)
	second.wantDone("p again", "r")
	second.wantLog("create", "interest 1", "interest 3", "progress Opportunity", "progress Won")
}

// The server permits ten open updates for each run. Up to eight commands wait. A further command
// returns its outcome at once, and an operator command always returns its outcome at once.
func TestManyUpdatesWait(t *testing.T) {
	s := newFixture(t)
	s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if n == 1 {
			return false, unreachableApply(24 * time.Hour), nil
		}
		return true, nil, nil
	}
	name := func(n int) string { return fmt.Sprint("order-", n) }
	s.at(time.Second, func() {
		for n := range 12 {
			command := addIn(n + 1)
			command.RequestID = name(n)
			s.update(name(n), "addInterests", command)
		}
	})
	s.at(2*time.Second, func() {
		for n := range 12 {
			got := s.results[name(n)]
			if waits := n < opportunity.MaxWaitingUpdates; got.done == waits || !waits && (got.outcome.State != opportunity.Pending || got.outcome.RequestID != name(n)) {
				t.Errorf("%s after a second: %+v", name(n), got)
			}
		}
		s.update("p", "pause", pauseCommand)
		if !s.results["p"].done {
			s.at(time.Millisecond, func() { s.wantDone("p") })
		}
		s.update("r", "resume", opportunity.Resume{})
	})
	s.at(30*time.Second, func() {
		for n := range 12 {
			if got := s.results[name(n)]; got.outcome.State != opportunity.Pending {
				t.Errorf("%s after 20 seconds: %+v", name(n), got)
			}
			if got, err := s.outcomeOf(lifecycle.OutcomeInput{RequestID: name(n)}); err != nil || got.State != opportunity.Pending {
				t.Errorf("the outcome of %s: %+v, %v", name(n), got, err)
			}
		}
		s.update("f", "refresh", opportunity.Refresh{}) // the API works again
	})
	s.at(31*time.Second, func() {
		for n := range 12 {
			got, err := s.outcomeOf(lifecycle.OutcomeInput{RequestID: name(n)})
			if err != nil || got.State != opportunity.Done || len(got.Results) != 1 || got.Results[0].Interest != id("OpportunityInterest", n+1) {
				t.Errorf("the outcome of %s: %+v, %v", name(n), got, err)
			}
		}
		for n := range 12 { // commands can wait again
			s.update("late "+name(n), "addInterests", addIn(n+101))
		}
	})
	s.winAt(40 * time.Second)
	s.run(start, nil)
	s.wantDone("p", "r", "f")
	for n := range 12 {
		// The updates that waited return their outcomes, and the other updates return the outcome
		// pending.
		if got := s.results["late "+name(n)].outcome.State; got != opportunity.Done && (n < opportunity.MaxWaitingUpdates || got != opportunity.Pending) {
			t.Errorf("late %s: %s", name(n), got)
		}
	}
}

func TestOutcomeIsAsked(t *testing.T) {
	s := newFixture(t)
	named := to("Won")
	named.RequestID = "order-7"
	s.at(time.Second, func() { s.env.SignalWorkflow("progress", named) })
	s.at(2*time.Second, func() {
		got, err := s.outcomeOf(lifecycle.OutcomeInput{RequestID: "order-7"})
		if err != nil || got.RequestID != "order-7" || got.State != opportunity.Failed || got.Error.Type != opportunity.TransitionNotFound {
			t.Errorf("got %+v, %v", got, err)
		}
		for want, payload := range map[opportunity.ErrorType]any{
			opportunity.NotFound: lifecycle.OutcomeInput{RequestID: "order-8"},
			opportunity.Invalid:  map[string]any{"requestId": ""},
		} {
			var application *temporal.ApplicationError
			if _, err := s.outcomeOf(payload); !errors.As(err, &application) || application.Type() != string(want) {
				t.Errorf("asked with %v: got %v; want %s", payload, err, want)
			}
		}
		for _, payload := range []any{"order-7", nil, map[string]any{"request": "order-7"}, 7} {
			if got, err := s.outcomeOf(payload); err == nil {
				t.Errorf("asked with %v: got %+v", payload, got)
			}
		}
	})
	s.winAt(3 * time.Second)
	s.run(start, nil)
}

// An operator command that is invalid or does not apply becomes a failed request when the command
// is a signal. When the command is an update, the run rejects the update, and the history stays
// unchanged.
func TestOperatorCommandsThatDoNotApply(t *testing.T) {
	messages := []struct {
		verb    opportunity.MessageName
		payload any
		want    opportunity.ErrorType
	}{
		{"pause", map[string]any{"why": "audit"}, opportunity.Invalid},
		{"resume", "now", opportunity.Invalid},
		{"refresh", "now", opportunity.Invalid},
		{"close", map[string]any{}, opportunity.Invalid},
		{"retry", opportunity.Retry{Request: "x"}, opportunity.NotFound},
		{"skip", opportunity.Skip{Request: "x", Reason: "y"}, opportunity.NotFound},
		{"extendReservations", map[string]any{"until": "tomorrow"}, opportunity.Invalid},
		{"extendReservations", map[string]any{"until": "2026-11-23T08:00:00Z"}, opportunity.Invalid},
		{"pause", opportunity.Pause{RequestID: "order-7"}, opportunity.Conflict},
	}
	s := newFixture(t)
	first := add(1)
	first.RequestID = "order-7"
	s.at(500*time.Millisecond, func() { s.env.SignalWorkflow("addInterests", first) })
	s.at(time.Second, func() {
		for n, m := range messages {
			s.update(fmt.Sprint(n), string(m.verb), m.payload)
		}
	})
	s.at(2*time.Second, func() {
		if view := s.view(); view.Failures != 0 || len(view.Attention) != 0 {
			t.Errorf("refused updates: %d failures, attention %+v", view.Failures, view.Attention)
		}
		for _, m := range messages {
			s.env.SignalWorkflow(string(m.verb), m.payload)
		}
	})
	s.at(3*time.Second, func() {
		if view := s.view(); view.Failures != len(messages) || len(view.Attention) != len(messages) || view.Paused != nil || view.Closing != nil {
			t.Errorf("refused signals: %d failures, attention %+v", view.Failures, view.Attention)
		}
	})
	s.winAt(4 * time.Second)
	s.run(start, nil)
	for n, m := range messages {
		s.wantRefused(fmt.Sprint(n), m.want)
	}
	s.wantLog("create", "interest 1", "progress Opportunity", "progress Won")
}

// A request reserves places until a given time, and this time passes during a pause. The request
// fails and does not release the existing reservation.
func TestATimeThatPassesDuringAPause(t *testing.T) {
	s := newFixture(t)
	s.at(time.Second, func() { s.update("held", "addInterests", reserved(1)) })
	s.at(2*time.Second, func() { s.update("p", "pause", opportunity.Pause{}) })
	s.at(3*time.Second, func() {
		s.env.SignalWorkflow("extendReservations", opportunity.ExtendReservations{RequestID: "late", Until: s.env.Now().Add(time.Hour)})
	})
	s.at(2*time.Hour, func() { s.update("r", "resume", opportunity.Resume{}) })
	s.at(3*time.Hour, func() {
		got, err := s.outcomeOf(lifecycle.OutcomeInput{RequestID: "late"})
		if err != nil || got.State != opportunity.Failed || got.Error.Type != opportunity.Invalid {
			t.Errorf("got %+v, %v", got, err)
		}
		if view := s.view(); view.Reservation == nil || !view.Reservation.Valid || len(view.Queue) > 0 || s.tms.applies != 1 {
			t.Errorf("reservation %+v, queue %+v, %d requests", view.Reservation, view.Queue, s.tms.applies)
		}
		s.env.CancelWorkflow()
	})
	s.run(start, nil)
}
