package workflows_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// In these tests, the run after a reset knows itself by another run id than the server.

func (s *fixture) redeliverAll() {
	s.env.SignalWorkflow("addInterests", addIn(1))
	s.env.SignalWorkflow("progress", to("Opportunity"))
	s.env.SignalWorkflow("addInterests", addIn(2))
	s.env.SignalWorkflow("addInterests", addIn(3))
}

// fakeTMSBeforeReset returns the fake TMS of a run that executed the messages of redeliverAll, up
// to the given number of requests.
func fakeTMSBeforeReset(t *testing.T, requests int) *fakeTMS {
	t.Helper()
	s := newFixture(t)
	s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if n > requests {
			return false, &activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnreachable}}, nil
		}
		return true, nil, nil
	}
	s.at(time.Second, s.redeliverAll)
	s.at(time.Minute, s.env.CancelWorkflow)
	s.run(start, nil)
	s.tms.reservation = opportunity.Reservation{}
	s.tms.apply = nil
	return s.tms
}

func TestResetToTheBeginningRepeatsNothing(t *testing.T) {
	for requests := range 3 {
		s := newFixtureOver(t, fakeTMSBeforeReset(t, requests))
		s.tms.run = "the run after"
		waited := time.Duration(0)
		began := s.env.Now()
		s.at(time.Second, s.redeliverAll)
		s.tms.apply = func(int, activities.ApplyInput) (bool, *activities.ApplyResult, error) {
			if waited == 0 {
				waited = s.env.Now().Sub(began)
			}
			return true, nil, nil
		}
		s.at(30*time.Second, func() {
			if w := s.view().Wait; w == nil || !strings.Contains(w.Reason, "the run was reset") || w.Until.IsZero() {
				t.Errorf("%d requests before: the view does not say why the run waits after the reset: %+v", requests, w)
			}
		})
		s.at(5*time.Minute, func() {
			if w := s.view().Wait; w != nil {
				t.Errorf("%d requests before: the view still says that the run waits: %+v", requests, w)
			}
		})
		s.at(10*time.Minute, func() { s.env.SignalWorkflow("progress", to("Won")) })
		s.run(start, nil)
		s.wantLog("create", "interest 1", "progress Opportunity", "interest 2", "interest 3", "progress Won")
		if s.tms.creates != 0 {
			t.Errorf("%d requests before: the record was created again", requests)
		}
		// A worker may still have been sending the last request of the run before the reset.
		if waited < activities.DefaultSendWindow+activities.DefaultSettleTime {
			t.Errorf("%d requests before: something was sent %s after the reset", requests, waited)
		}
		if view := s.view(); len(view.Interests) != 3 || view.Question != nil || view.Failures != 0 {
			t.Errorf("%d requests before: %d interests, question %+v, %d failures", requests, len(view.Interests), view.Question, view.Failures)
		}
	}
}

// The next request of the run detects the reset.
func TestResetInTheMiddleRepeatsNothing(t *testing.T) {
	first := newFixture(t)
	first.at(time.Second, func() { first.env.SignalWorkflow("addInterests", addIn(4)) })
	first.at(2*time.Second, func() {
		first.env.SetContinueAsNewSuggested(true)
		first.env.SignalWorkflow("refresh", opportunity.Refresh{})
	})
	first.run(start, nil)
	state := first.continued()
	for _, writer := range []string{"", "a run that was reset itself"} {
		second := newFixtureOver(t, first.tms)
		second.at(time.Second, second.redeliverAll)
		second.at(time.Minute, second.env.CancelWorkflow)
		second.run(nil, state)
		second.wantLog("create", "interest 4", "interest 1", "progress Opportunity", "interest 2", "interest 3")

		third := newFixtureOver(t, second.tms)
		third.tms.run = "the run after"
		state.PreviousRunID = writer
		third.at(time.Second, third.redeliverAll)
		third.at(time.Second, func() { third.env.SignalWorkflow("addInterests", addIn(5)) })
		third.winAt(10 * time.Minute)
		third.run(nil, state)
		third.wantLog("create", "interest 4", "interest 1", "progress Opportunity", "interest 2", "interest 3", "interest 5", "progress Won")
		if view := third.view(); view.Question != nil || len(view.Interests) != 5 {
			t.Errorf("question %+v, %d interests", view.Question, len(view.Interests))
		}
	}
}

// A read, such as a refresh or the read-back of a request, also reports the reset.
func TestAReadReportsAReset(t *testing.T) {
	for _, way := range []string{"refresh", "lost"} {
		t.Run(way, func(t *testing.T) {
			over := fakeTMSBeforeReset(t, 2)
			s := newFixtureOver(t, over)
			state := entity.NewState("A-1", start, s.env.Now())
			state.ApplyCreated(exchange.Snapshot{ID: id("Opportunity", 2), Step: steps[0]}, opportunity.Ref{}, s.env.Now())
			s.at(time.Second, s.redeliverAll)
			reset := func() { s.tms.run = "the run after" }
			if way == "refresh" {
				state.Paused = &opportunity.PauseInfo{Since: s.env.Now()}
				s.at(2*time.Second, reset)
				s.at(3*time.Second, func() { s.env.SignalWorkflow("refresh", opportunity.Refresh{}) })
				s.at(5*time.Minute, func() { s.env.SignalWorkflow("resume", opportunity.Resume{}) })
			} else {
				// The run before the reset sent a request that was lost.
				s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
					if n == 1 {
						reset()
						return false, nil, errors.New("the worker was lost")
					}
					return true, nil, nil
				}
			}
			s.winAt(10 * time.Minute)
			s.run(nil, state)
			s.wantLog("create", "interest 1", "progress Opportunity", "interest 2", "interest 3", "progress Won")
		})
	}
}

// A change that was sent before the reset and is not on the record becomes a question.
func TestWhatAResetLeavesOpen(t *testing.T) {
	over := fakeTMSBeforeReset(t, 2)
	over.items = slices.Delete(over.items, 0, 1) // somebody removed the interest by hand
	s := newFixtureOver(t, over)
	s.tms.run = "the run after"
	s.at(time.Second, s.redeliverAll)
	asked := map[string]bool{}
	for minute := range 5 { // an operator checks the view every minute
		s.at(time.Duration(10+minute)*time.Minute, func() {
			if q := s.view().Question; q != nil {
				asked[q.Request] = true
				s.env.SignalWorkflow("skip", opportunity.Skip{Request: q.Request, Reason: "I looked"})
			}
		})
	}
	s.winAt(20 * time.Minute)
	s.run(start, nil)
	if len(asked) != 1 || !asked["#1"] {
		t.Errorf("asked about %v; want the first interest, which was sent, since the move behind it was", asked)
	}
	for _, done := range []string{"interest 1", "progress Opportunity", "interest 2", "interest 3"} {
		if n := count(s.tms.log, done); n != 1 {
			t.Errorf("%s happened %d times: %v", done, n, s.tms.log)
		}
	}
}

func count(list []string, one string) int {
	n := 0
	for _, other := range list {
		if other == one {
			n++
		}
	}
	return n
}

// The run is cancelled or closed before it sends a request. The run before the reset executed the
// message "done", which is the first of its two messages.
func (s *fixture) endedAfterReset(state *entity.State, way string) {
	s.t.Helper()
	s.tms.run = "default-test-run-id"
	done := addIn(1)
	done.RequestID = "done"
	s.at(time.Second, func() {
		s.env.SignalWorkflow("addInterests", done)
		s.env.SignalWorkflow("addInterests", addIn(7))
	})
	s.at(2*time.Second, func() {
		if way == "cancel" {
			s.env.CancelWorkflow()
		} else {
			s.env.SignalWorkflow("close", opportunity.Close{Reason: "entered twice"})
		}
	})
	s.run(nil, state)
}

// If the run before the reset executed a message, the run after the reset does not report this
// message as failed.
func TestAResetRunIsClosed(t *testing.T) {
	over := fakeTMSBeforeReset(t, 2)
	for _, way := range []string{"close", "cancel"} {
		s := newFixtureOver(t, over)
		state := entity.NewState("A-1", start, s.env.Now())
		state.ApplyCreated(exchange.Snapshot{ID: id("Opportunity", 2), Step: steps[0]}, opportunity.Ref{}, s.env.Now())
		state.PreviousRunID = "a run that was reset"
		state.Paused = &opportunity.PauseInfo{Since: s.env.Now()}
		s.endedAfterReset(state, way)
		if got, err := s.outcomeOf(map[string]string{"requestId": "done"}); err != nil || got.State != opportunity.Done {
			t.Errorf("%s: got %+v, %v", way, got, err)
		}
		if got, err := s.outcomeOf(map[string]string{"requestId": "#1"}); err != nil || got.State != opportunity.Failed {
			t.Errorf("%s: got %+v, %v", way, got, err)
		}
		s.wantLog(over.log...)
	}
}

// A run that was reset to its beginning ends before it knows that the record exists. The run after
// the reset finds the record by its reference tag, releases the reservation, and does not report
// executed messages as failed.
func TestAResetRunIsClosedBeforeTheRecordIsKnown(t *testing.T) {
	for _, way := range []string{"close", "cancel"} {
		over := fakeTMSBeforeReset(t, 2)
		over.reservation = opportunity.Reservation{Valid: true, Until: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
		s := newFixtureOver(t, over)
		state := entity.NewState("A-1", start, s.env.Now())
		state.PreviousRunID = "a run that was reset"
		state.Paused = &opportunity.PauseInfo{Since: s.env.Now()}
		s.endedAfterReset(state, way)
		if got, err := s.outcomeOf(map[string]string{"requestId": "done"}); err != nil || got.State != opportunity.Done {
			t.Errorf("%s: what was done: got %+v, %v", way, got, err)
		}
		if got, err := s.outcomeOf(map[string]string{"requestId": "#1"}); err != nil || got.State != opportunity.Failed {
			t.Errorf("%s: what was not: got %+v, %v", way, got, err)
		}
		s.wantLog("create", "interest 1", "progress Opportunity", "release")
	}
}

// It is unknown whether the record exists. If a change may have been made, the run does not report
// the change as failed.
func TestAResetRunIsClosedWithAnUnreadableRecord(t *testing.T) {
	s := newFixtureOver(t, fakeTMSBeforeReset(t, 2))
	state := entity.NewState("A-1", start, s.env.Now())
	state.PreviousRunID = "a run that was reset"
	state.Paused = &opportunity.PauseInfo{Since: s.env.Now()}
	s.tms.run, s.tms.taggedRecords = "default-test-run-id", 2
	done := addIn(1)
	done.RequestID = "done"
	s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", done) })
	s.at(2*time.Second, func() { s.env.SignalWorkflow("close", opportunity.Close{Reason: "entered twice"}) })
	s.run(nil, state)
	if got, err := s.outcomeOf(map[string]string{"requestId": "done"}); err != nil || got.Error == nil || got.Error.Type != opportunity.Undecided {
		t.Errorf("got %+v, %v; want it undecided", got, err)
	}
}

// A record that the run before the reset did not adopt stays unchanged.
func TestAResetRunIsClosedBeforeItAdopted(t *testing.T) {
	for owner, released := range map[opportunity.Reference]bool{"A-1": true, "": false, "B-2": false} {
		over := fakeTMSBeforeReset(t, 2)
		over.reservation = opportunity.Reservation{Valid: true, Until: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
		over.owner = owner
		s := newFixtureOver(t, over)
		state := entity.NewState("A-1", opportunity.Start{Adopt: id("Opportunity", 2)}, s.env.Now())
		state.PreviousRunID = "a run that was reset"
		state.Paused = &opportunity.PauseInfo{Since: s.env.Now()}
		s.tms.run = "default-test-run-id"
		s.at(time.Second, func() { s.env.SignalWorkflow("close", opportunity.Close{Reason: "entered twice"}) })
		s.run(nil, state)
		if got := count(s.tms.log, "release") == 1; got != released {
			t.Errorf("marked as that of %q: released %v, want %v", owner, got, released)
		}
	}
}

// The run before a reset may have sent the mail of a follow-up. After the reset, an operator decides
// about each mail that comes due while the record stays in its step.
func TestMailsOfFollowUpsAfterAResetWaitForAnOperator(t *testing.T) {
	for answer, want := range map[string]int{"confirm": 0, "retry": 1} {
		t.Run(answer, func(t *testing.T) {
			s := newFixtureOver(t, fakeTMSBeforeReset(t, 0))
			s.tms.run = "the run after"
			mail := followUps(s, emailFollowUp).resources["mail"]
			s.at(3*time.Hour, func() {
				v := s.view()
				if mail.done > 0 || len(v.RunningEffects) != 1 || !strings.Contains(v.RunningEffects[0].Problem, "before the reset") {
					t.Fatalf("%d mails, running %+v; want a question about the mail", mail.done, v.RunningEffects)
				}
				var command opportunity.OperatorCommand = opportunity.Confirm{Request: v.RunningEffects[0].Key}
				if answer == "retry" {
					command = opportunity.Retry{Request: v.RunningEffects[0].Key}
				}
				s.env.SignalWorkflow(answer, command)
			})
			s.at(4*time.Hour, func() {
				if v := s.view(); mail.done != want || len(v.RunningEffects)+len(v.Attention) > 0 {
					t.Errorf("%d mails, running %+v, attention %+v; want %d mails", mail.done, v.RunningEffects, v.Attention, want)
				}
			})
			s.winAt(5 * time.Hour)
			s.run(start, nil)
		})
	}
}
