package workflows_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// transports are how a message can be sent.
var transports = []string{"update", "signal"}

// sendOperatorCommand sends a message as an update, whose result is stored under the id, or as a
// signal.
func (s *fixture) sendOperatorCommand(way, id string, message opportunity.Message) {
	if way == "update" {
		s.update(id, string(message.MessageName()), message)
		return
	}
	s.env.SignalWorkflow(string(message.MessageName()), message)
}

// wantDoneBy asserts that the message, if it was an update, returned done.
func (s *fixture) wantDoneBy(way string, ids ...string) {
	s.t.Helper()
	if way == "update" {
		s.wantDone(ids...)
	}
}

// ended returns the result of a run that must have completed.
func (s *fixture) ended() opportunity.RunResult {
	s.t.Helper()
	var ended opportunity.RunResult
	if err := s.env.GetWorkflowResult(&ended); err != nil {
		s.t.Fatal(err)
	}
	return ended
}

// wantClosed asserts that the request of an update failed as Closed.
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

// outcomeOf queries the outcome of a request.
func (s *fixture) outcomeOf(request any) (opportunity.Outcome, error) {
	var outcome opportunity.Outcome
	value, err := s.env.QueryWorkflow(lifecycle.OutcomeOf.Name, request)
	if err == nil {
		err = value.Get(&outcome)
	}
	return outcome, err
}

// attention returns the attention kinds in the search attributes.
func (s *fixture) attention() []string {
	words, _ := s.searchAttributes.GetKeywordList(lifecycle.OpportunityAttention)
	return words
}

// unreachableResult is the result of a call that cannot reach the API for a long time.
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
				s.sendOperatorCommand(way, "p once more", pauseCommand) // a repetition, which does not pause again
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

// Signals that come before an update in one workflow task are handled before the update.
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

// A request under way is completed during a pause, and its result counts.
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

func TestClose(t *testing.T) {
	for _, way := range transports {
		t.Run(way, func(t *testing.T) {
			s := newFixture(t)
			s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
				switch {
				case n == 1:
					return true, nil, nil
				case n == 2: // a day without the API
					return false, unreachableApply(24 * time.Hour), nil
				case n < 6: // the reservation is released as soon as the API is reachable
					return false, unreachableApply(0), nil
				}
				return true, nil, nil
			}
			s.at(1*time.Second, func() { s.update("r", "addInterests", reserved(2)) })
			s.at(2*time.Second, func() {
				s.update("u", "updateDetails", opportunity.UpdateDetails{Currency: "USD"})
				s.env.SignalWorkflow("progress", to("Opportunity"))
			})
			s.at(10*time.Second, func() {
				s.sendOperatorCommand(way, "c", closeCommand)
				s.env.SignalWorkflow("progress", to("Won"))
				s.sendOperatorCommand(way, "c2", opportunity.Close{Reason: "another reason"})
			})
			var at time.Time
			s.at(10*time.Second, func() { at = s.env.Now() })
			s.run(start, nil)
			if took := s.env.Now().Sub(at); took > time.Minute {
				t.Errorf("it took %s to close", took)
			}
			s.wantDone("r")
			if way == "update" { // the run ends only after its updates have returned
				s.wantDone("c")
			}
			s.wantClosed("u")
			s.wantLog("create", "interest 2", "extend", "release")
			want := opportunity.RunResult{
				Reference: "A-1", Opportunity: id("Opportunity", 2), State: opportunity.Open, CloseReason: "sold elsewhere", Step: steps[0],
				Interests: 1, FailedRequests: 3, Total: interest(2).UnitAmount.Times(2),
			}
			if diff := cmp.Diff(want, s.ended()); diff != "" {
				t.Error(diff)
			}
			if view := s.view(); len(view.Queue) != 0 || view.Failures != 3 || view.Closing == nil || view.Closing.Reason != "sold elsewhere" || view.Reservation != nil {
				t.Errorf("view: got %+v", view)
			}
		})
	}
}

// A request that is under way when the run is closed is completed, and reported with its result.
func TestCloseDuringARequest(t *testing.T) {
	for name, lost := range map[string]error{"answered": nil, "lost": errors.New("lost")} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
				if n == 1 {
					s.update("c", "close", closeCommand)
					s.env.SignalWorkflow("addInterests", add(3))
					return true, nil, lost
				}
				return true, nil, nil
			}
			first, second := reserved(1), to("Opportunity")
			first.RequestID, second.RequestID = "first", "second"
			s.at(0, func() { // the first two are sent in one batch
				s.env.SignalWorkflow("addInterests", first)
				s.env.SignalWorkflow("progress", second)
				s.env.SignalWorkflow("progress", to("Won"))
			})
			s.run(start, nil)
			s.wantDone("c")
			s.wantLog("create", "interest 1", "extend", "progress Opportunity", "release")
			for _, id := range []string{"first", "second"} {
				if got, err := s.outcomeOf(lifecycle.OutcomeInput{RequestID: id}); err != nil || got.State != opportunity.Done {
					t.Errorf("%s: got %+v, %v", id, got, err)
				}
			}
			if got := s.ended(); got.CloseReason == "" || got.FailedRequests != 2 || got.Step.Name != "Opportunity" {
				t.Errorf("result: got %+v", got)
			}
		})
	}
}

// A pause prevents neither a close nor the release of the reservation.
func TestCloseWhilePaused(t *testing.T) {
	s := newFixture(t)
	s.at(1*time.Second, func() { s.update("r", "addInterests", reserved(1)) })
	s.at(2*time.Second, func() { s.update("p", "pause", pauseCommand) })
	s.at(3*time.Second, func() { s.env.SignalWorkflow("addInterests", add(2)) })
	s.at(4*time.Second, func() { s.update("c", "close", closeCommand) })
	s.run(start, nil)
	s.wantDone("r", "p", "c")
	s.wantLog("create", "interest 1", "extend", "release")
	if got := s.ended(); got.CloseReason != "sold elsewhere" || got.FailedRequests != 1 {
		t.Errorf("result: got %+v", got)
	}
}

// A run with a long history also releases the reservation, both when it is closed and when it is
// cancelled.
func TestALongRunReleasesTheReservation(t *testing.T) {
	for _, end := range []string{"close", "cancel"} {
		t.Run(end, func(t *testing.T) {
			s := newFixture(t)
			s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
				switch n {
				case 1:
					s.env.SetContinueAsNewSuggested(true)
					if end == "close" {
						s.env.SignalWorkflow("close", closeCommand)
					} else {
						s.env.CancelWorkflow()
					}
				case 2:
					return false, unreachableApply(0), nil
				}
				return true, nil, nil
			}
			s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", reserved(1)) })
			s.run(start, nil)
			s.wantLog("create", "interest 1", "extend", "release")
		})
	}
}

// A reservation that cannot be released expires by itself; the run stops trying after some time.
func TestReservationThatCannotBeReleased(t *testing.T) {
	s := newFixture(t)
	s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if n > 1 {
			return false, unreachableApply(0), nil
		}
		return true, nil, nil
	}
	s.at(time.Second, func() { s.update("r", "addInterests", reserved(1)) })
	s.at(time.Minute, func() { s.update("c", "close", closeCommand) })
	begun := s.env.Now()
	s.run(start, nil)
	if took := s.env.Now().Sub(begun); took < 2*time.Hour || took > 4*time.Hour {
		t.Errorf("given up after %s", took)
	}
	s.wantDone("c")
	if got := s.ended(); got.CloseReason == "" {
		t.Errorf("result: got %+v", got)
	}
	if !slices.Contains(s.attention(), "api") {
		t.Errorf("found by %v", s.attention())
	}
}

func TestCloseBeforeTheRecordExists(t *testing.T) {
	unreachable := func(*fixture) func(int) (bool, *activities.CreateResult, error) {
		return func(int) (bool, *activities.CreateResult, error) {
			return false, &activities.CreateResult{CallResult: unreachableResult(24 * time.Hour)}, nil
		}
	}
	for name, prepare := range map[string]func(*fixture){
		"out of reach": func(s *fixture) { s.tms.create = unreachable(s) },
		"paused":       func(s *fixture) { s.at(0, func() { s.env.SignalWorkflow("pause", opportunity.Pause{}) }) },
		"a question stands": func(s *fixture) {
			s.tms.taggedRecords = 2
			s.tms.create = func(int) (bool, *activities.CreateResult, error) {
				return false, &activities.CreateResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonEarlierRun}}, nil
			}
		},
	} {
		for _, way := range transports {
			t.Run(name+", "+way, func(t *testing.T) {
				s := newFixture(t)
				prepare(s)
				s.at(5*time.Second, func() {
					s.update("open", "opened", lifecycle.CreateOutcomeInput{Start: &start})
					s.env.SignalWorkflow("addInterests", add(1))
				})
				s.at(10*time.Second, func() { s.sendOperatorCommand(way, "c", closeCommand) })
				begun := s.env.Now()
				s.run(start, nil)
				if took := s.env.Now().Sub(begun); took > 15*time.Second {
					t.Errorf("it took %s to close", took)
				}
				s.wantDoneBy(way, "c")
				s.wantLog()
				var application *temporal.ApplicationError
				if got := s.results["open"]; !errors.As(got.err, &application) || application.Type() != string(opportunity.Closed) || !strings.Contains(application.Message(), "sold elsewhere") {
					t.Errorf("opened: got %+v; want Closed", got)
				}
				want := opportunity.RunResult{Reference: "A-1", CloseReason: "sold elsewhere", FailedRequests: 1}
				if diff := cmp.Diff(want, s.ended()); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// When the run is closed while the record is created, the ending run knows this record.
func TestCloseDuringTheCreation(t *testing.T) {
	for name, lost := range map[string]error{"answered": nil, "lost": errors.New("lost")} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			with := start
			with.Interests = add(1).Interests
			s.tms.create = func(int) (bool, *activities.CreateResult, error) {
				s.env.SignalWorkflow("close", closeCommand)
				return true, nil, lost
			}
			s.run(with, nil)
			s.wantLog("create")
			if got := s.ended(); got.CloseReason != "sold elsewhere" || got.Opportunity != id("Opportunity", 2) || got.FailedRequests != 1 {
				t.Errorf("result: got %+v", got)
			}
			if got, err := s.outcomeOf(lifecycle.OutcomeInput{RequestID: opportunity.StartRequestID}); err != nil || got.State != opportunity.Failed || got.Error.Type != opportunity.Closed {
				t.Errorf("the start's interests: got %+v, %v", got, err)
			}
		})
	}
}

func TestCloseWithAQuestion(t *testing.T) {
	s := newFixture(t)
	s.tms.apply = func(n int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if n > 1 {
			return true, nil, nil
		}
		s.tms.items = append(s.tms.items, exchange.InterestRef{ID: "by-hand", Item: id("LearningPath", 1)})
		return false, nil, errors.New("lost")
	}
	asked := add(1)
	asked.RequestID = "order-7"
	s.at(time.Second, func() {
		s.env.SignalWorkflow("addInterests", asked)
		s.env.SignalWorkflow("progress", to("Won"))
	})
	s.at(10*time.Minute, func() {
		if s.view().Question == nil {
			t.Error("no question waits")
		}
		s.update("c", "close", closeCommand)
	})
	s.run(start, nil)
	s.wantDone("c")
	s.wantLog("create")
	if view := s.view(); view.Question != nil || view.Failures != 2 || slices.Contains(s.attention(), "undecided") {
		t.Errorf("view %+v, found by %v", view, s.attention())
	}
	if got, err := s.outcomeOf(lifecycle.OutcomeInput{RequestID: "order-7"}); err != nil || got.State != opportunity.Failed || got.Error.Type != opportunity.Undecided {
		t.Errorf("what was in doubt: got %+v, %v", got, err)
	}
	if got := s.ended(); got.CloseReason != "sold elsewhere" {
		t.Errorf("result: got %+v", got)
	}
}

func TestRefresh(t *testing.T) {
	for _, way := range transports {
		t.Run(way, func(t *testing.T) {
			s := newFixture(t)
			s.at(1*time.Second, func() { s.update("i", "addInterests", add(1)) })
			s.at(2*time.Second, func() { s.env.SignalWorkflow("pause", opportunity.Pause{}) }) // no change is sent; the record is only read
			s.at(3*time.Second, func() {
				s.tms.mu.Lock()
				defer s.tms.mu.Unlock()
				price := interest(2).UnitAmount
				s.tms.items = nil
				for n := range 5 { // more than a page
					s.tms.items = append(s.tms.items, exchange.InterestRef{ID: id("OpportunityInterest", 10+n), Item: id("Course", n), Quantity: 2, UnitAmount: &price})
				}
				s.tms.step, s.tms.details.Name = steps[1], "Second"
				s.tms.reservation = opportunity.Reservation{Valid: true, Until: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}
				s.sendOperatorCommand(way, "f", opportunity.Refresh{})
			})
			s.at(4*time.Second, func() {
				view := s.view()
				if len(view.Interests) != 5 || view.Total.String() != "1999.00" || view.Step.Name != "Opportunity" || view.Details.Name != "Second" || view.Details.Region.Name != "UK" || view.Reservation == nil {
					t.Errorf("view %+v", view)
				}
				if name, _ := s.searchAttributes.GetKeyword(lifecycle.OpportunityStep); name != "Opportunity" {
					t.Errorf("found by the step %q", name)
				}
				if until, _ := s.searchAttributes.GetTime(lifecycle.OpportunityReservedUntil); !until.Equal(s.tms.reservation.Until) {
					t.Errorf("found by places held until %s", until)
				}
				s.env.SignalWorkflow("resume", opportunity.Resume{})
			})
			s.at(5*time.Second, func() { s.env.SignalWorkflow("progress", to("Won")) })
			s.run(start, nil)
			s.wantDoneBy(way, "f")
			s.wantLog("create", "interest 1", "progress Won")
			if got := s.ended(); got.Interests != 5 || got.CloseReason != "" {
				t.Errorf("result: got %+v", got)
			}
		})
	}
}

// A transition to Won by hand in the TMS ends the run.
func TestWonByHand(t *testing.T) {
	s := newFixture(t)
	s.at(time.Hour, func() {
		s.tms.mu.Lock()
		defer s.tms.mu.Unlock()
		s.tms.step = steps[2]
		s.update("f", "refresh", opportunity.Refresh{})
	})
	s.run(start, nil)
	s.wantDone("f")
	if got := s.ended(); got.State != opportunity.Won || got.Step.Name != "Won" || got.CloseReason != "" {
		t.Errorf("result: got %+v", got)
	}
	if want := []string{activities.CreateOpportunity, activities.ReadOpportunity}; !slices.Equal(s.tms.calls, want) {
		t.Errorf("calls: got %v, want %v", s.tms.calls, want)
	}
}

// An interest that somebody adds by hand before a refresh does not count as the effect of a request
// whose response is lost later.
func TestRefreshTakesNothingForAnEffect(t *testing.T) {
	s := newFixture(t)
	s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if n == 1 {
			return false, nil, errors.New("lost")
		}
		return true, nil, nil
	}
	s.at(time.Second, func() {
		s.tms.mu.Lock()
		defer s.tms.mu.Unlock()
		s.tms.items = []exchange.InterestRef{{ID: "by-hand", Item: id("CourseTemplate", 107)}}
		s.env.SignalWorkflow("refresh", opportunity.Refresh{})
	})
	s.at(2*time.Second, func() { s.update("i", "addInterests", addIn(7)) })
	s.winAt(10 * time.Minute)
	s.run(start, nil)
	s.wantLog("create", "interest 7", "progress Opportunity", "progress Won")
	if got := s.ended(); got.Interests != 2 {
		t.Errorf("result: got %+v", got)
	}
}

// A refresh ends a wait for the API early.
func TestRefreshCutsAWaitShort(t *testing.T) {
	for _, way := range transports {
		t.Run("of a request, "+way, func(t *testing.T) {
			s := newFixture(t)
			s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
				if n == 1 {
					return false, unreachableApply(24 * time.Hour), nil
				}
				return true, nil, nil
			}
			s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", add(1)) })
			s.at(10*time.Second, func() { s.sendOperatorCommand(way, "f", opportunity.Refresh{}) })
			s.at(11*time.Second, func() {
				if s.tms.applies != 2 {
					t.Errorf("%d requests after the refresh", s.tms.applies)
				}
			})
			s.winAt(12 * time.Second)
			s.run(start, nil)
			s.wantDoneBy(way, "f")
			s.wantLog("create", "interest 1", "progress Opportunity", "progress Won")
		})
		t.Run("of the creation, "+way, func(t *testing.T) {
			s := newFixture(t)
			s.tms.create = func(n int) (bool, *activities.CreateResult, error) {
				if n <= 2 || n > 3 && n < 30 {
					return false, &activities.CreateResult{CallResult: unreachableResult(24 * time.Hour)}, nil
				}
				return true, nil, nil
			}
			s.at(10*time.Second, func() { s.sendOperatorCommand(way, "f", opportunity.Refresh{}) })
			s.at(11*time.Second, func() { // tried only once more
				if s.tms.creates != 2 {
					t.Errorf("%d requests after the refresh", s.tms.creates)
				}
				s.sendOperatorCommand(way, "f2", opportunity.Refresh{})
			})
			s.at(11500*time.Millisecond, func() {
				if s.tms.creates != 3 || s.tms.reads > 0 {
					t.Errorf("%d requests after the second refresh, %d reads of what was just created", s.tms.creates, s.tms.reads)
				}
			})
			s.winAt(12 * time.Second)
			s.run(start, nil)
			s.wantDoneBy(way, "f")
			s.wantLog("create", "progress Opportunity", "progress Won")
		})
	}
}

// A refresh that the API does not answer prevents neither a close nor a query of the view; a
// refresh of a record that was deleted ends.
func TestRefreshThatIsNotAnswered(t *testing.T) {
	s := newFixture(t)
	s.tms.read = func(int) error { return errors.New("out of reach") }
	s.at(time.Second, func() { s.update("f", "refresh", opportunity.Refresh{}) })
	s.at(2*time.Second, func() { s.update("i", "addInterests", add(1)) })
	s.at(time.Minute, func() {
		if view := s.view(); len(view.Queue) != 1 || s.tms.reads < 3 {
			t.Errorf("view %+v after %d reads", view, s.tms.reads)
		}
		s.update("c", "close", closeCommand)
	})
	begun := s.env.Now()
	s.run(start, nil)
	if took := s.env.Now().Sub(begun); took > 2*time.Minute {
		t.Errorf("it took %s to close", took)
	}
	s.wantDone("f", "c")
	s.wantLog("create")
	if got := s.results["i"].outcome; got.State != opportunity.Pending {
		t.Errorf("the command: got %+v", got)
	}
	if got := s.ended(); got.CloseReason == "" || got.FailedRequests != 1 {
		t.Errorf("result: got %+v", got)
	}
}

func TestRefreshOfARecordThatIsGone(t *testing.T) {
	s := newFixture(t)
	s.at(time.Second, func() {
		s.tms.mu.Lock()
		defer s.tms.mu.Unlock()
		s.tms.exists = false
		s.update("f", "refresh", opportunity.Refresh{})
	})
	s.at(2*time.Second, func() {
		view := s.view()
		if last := view.Timeline[len(view.Timeline)-1].Text; !strings.Contains(last, "could not be read again") || s.tms.reads != 1 {
			t.Errorf("after %d reads the timeline says %q", s.tms.reads, last)
		}
	})
	s.winAt(3 * time.Second)
	s.run(start, nil)
	s.wantDone("f")
	s.wantLog("create", "progress Opportunity", "progress Won")
}

// The server holds ten updates of one run. Eight commands wait; a further command returns at once,
// and an operator command always returns its outcome.
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
		// The updates that waited return their outcomes, the other updates return pending.
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

// Operator commands that are not valid, or do not apply, become failed requests as signals, and add
// nothing to the history as updates.
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

// TestATimeThatPassesDuringAPause: a request to reserve places waits until its time has passed, and
// does not release the reservation.
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
