package workflows_test

import (
	"errors"
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

// When a run is closed during a request, the run completes the request and reports the result of
// the request.
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

// During a pause, an operator can close the opportunity, and the run releases the reservation.
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

// A run with a long history also releases the reservation when the run is closed or cancelled.
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

// The run stops trying to release a reservation after some time, because the reservation expires by
// itself.
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

// An operator closes the run while a worker creates the record. The run still receives the created
// record.
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
