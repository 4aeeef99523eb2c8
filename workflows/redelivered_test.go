package workflows_test

import (
	"errors"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// stateAfterReset returns the state of a run that was reset to its beginning and is paused. The run
// id by which the server knows the run differs from the run id that the run knows as its own.
func (s *fixture) stateAfterReset() *entity.State {
	s.tms.run = "default-test-run-id"
	state := entity.NewState("A-1", start, s.env.Now())
	state.PreviousRunID = "the run that was reset"
	state.Paused = &opportunity.PauseInfo{Since: s.env.Now()}
	return state
}

func (s *fixture) continueReset(d time.Duration) {
	s.at(d, func() { s.env.SignalWorkflow("resume", opportunity.Resume{}) })
}

// In this test, the run before a reset executed an update, and the server delivers the update once
// more to the run after the reset. The run after the reset would reject the update if the update
// were new. The update still takes effect once, and the sender of the update receives the outcome
// done.
func TestCommandAcceptedBeforeAResetIsAcceptedAgain(t *testing.T) {
	u1 := addIn(1)
	u1.RequestID = "u1"
	for name, arrange := range map[string]func(s *fixture, again func()){
		"a pause": func(s *fixture, again func()) {
			s.at(time.Second, again)
			s.continueReset(5 * time.Minute)
		},
		"a close": func(s *fixture, again func()) {
			s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", addIn(7)) })
			s.at(2*time.Second, func() { s.env.SignalWorkflow("close", opportunity.Close{Reason: "entered twice"}) })
			s.at(3*time.Second, again)
		},
		"a cancel": func(s *fixture, again func()) {
			s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", addIn(7)) })
			s.at(2*time.Second, s.env.CancelWorkflow)
			s.at(3*time.Second, again)
		},
		"a long history": func(s *fixture, again func()) {
			s.at(time.Second, func() { s.update("waits", "addInterests", addIn(8)) })
			s.at(2*time.Second, func() { s.env.SetContinueAsNewSuggested(true); again() })
			s.at(10*time.Second, func() { s.env.SetContinueAsNewSuggested(false) })
			s.continueReset(5 * time.Minute)
		},
		"a queue that is full": func(s *fixture, again func()) {
			for range opportunity.MaxInterests / opportunity.MaxInterestsPerCommand {
				s.at(time.Second, func() {
					full := opportunity.AddInterests{}
					for range opportunity.MaxInterestsPerCommand {
						full.Interests = append(full.Interests, addIn(13).Interests...) // the API rejects these interests
					}
					s.env.SignalWorkflow("addInterests", full)
				})
			}
			s.at(2*time.Second, again)
			s.continueReset(5 * time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			first := newFixture(t)
			first.at(time.Second, func() { first.update("u1", "addInterests", u1) })
			first.at(time.Minute, first.env.CancelWorkflow)
			first.run(start, nil)
			first.wantDone("u1")

			s := newFixtureOver(t, first.tms)
			state := s.stateAfterReset()
			arrange(s, func() { s.update("u1", "addInterests", u1) })
			s.at(15*time.Minute, func() { s.update("again", "addInterests", u1) })
			s.winAt(20 * time.Minute)
			s.run(nil, state)
			if n := count(s.tms.log, "interest 1"); n != 1 {
				t.Errorf("it took effect %d times: %v", n, s.tms.log)
			}
			if got := s.results["u1"]; got == nil || got.rejected != nil || got.err != nil {
				t.Errorf("the update that came again: got %+v; want it taken in", got)
			}
			if got, err := s.outcomeOf(map[string]string{"requestId": "u1"}); err != nil || got.State != opportunity.Done {
				t.Errorf("outcome: got %+v, %v; want it done", got, err)
			}
		})
	}
}

// The reservation expires before the run is reset. The run sends nothing again. The run reports to
// the caller that it is unknown whether the places were reserved.
func TestATimeThatPassedBeforeAReset(t *testing.T) {
	extend := opportunity.ExtendReservations{Until: time.Date(2026, 11, 23, 8, 30, 0, 0, time.UTC)}
	extend.RequestID = "u1"
	for _, way := range []string{"signal", "update"} {
		s := newFixtureOver(t, fakeTMSBeforeReset(t, 0))
		state := s.stateAfterReset()
		s.at(time.Second, func() {
			if way == "signal" {
				s.env.SignalWorkflow("extendReservations", extend)
			} else {
				s.update("u1", "extendReservations", extend)
			}
		})
		s.continueReset(5 * time.Minute)
		s.winAt(10 * time.Minute)
		s.run(nil, state)
		got, err := s.outcomeOf(map[string]string{"requestId": "u1"})
		if err != nil || got.Error == nil || got.Error.Message != "until: this time passed while the request waited; it is unknown whether the places were reserved until this time" {
			t.Errorf("%s: got %+v, %v; want it told that it may have happened", way, got, err)
		}
		if n := count(s.tms.log, "extend until 2026-11-23"); n != 0 {
			t.Errorf("%s: the places were given back: %v", way, s.tms.log)
		}
	}
}

// As soon as a run knows what the run before the reset did, the run rejects new messages by the
// same rules as any other run.
func TestARunThatWasResetRefusesWhatIsNew(t *testing.T) {
	s := newFixtureOver(t, fakeTMSBeforeReset(t, 0))
	state := s.stateAfterReset()
	s.continueReset(time.Second)
	s.at(5*time.Minute, func() { s.env.SignalWorkflow("pause", opportunity.Pause{}) })
	s.at(6*time.Minute, func() { s.update("new", "addInterests", addIn(9)) })
	s.continueReset(7 * time.Minute)
	s.winAt(8 * time.Minute)
	s.run(nil, state)
	s.wantRefused("new", opportunity.Paused)
}

// In this test, a caller waits for the record, and the opportunity is cancelled or closed before
// the record exists.
func TestWaitersForTheRecordGetTheCancellation(t *testing.T) {
	for name, end := range map[string]func(s *fixture){
		"cancel": func(s *fixture) { s.env.CancelWorkflow() },
		"close":  func(s *fixture) { s.env.SignalWorkflow("close", opportunity.Close{Reason: "entered twice"}) },
	} {
		s := newFixture(t)
		s.at(0, func() {
			s.env.SignalWorkflow("pause", opportunity.Pause{})
			s.update("open", "opened", lifecycle.CreateOutcomeInput{Start: &start})
		})
		s.at(5*time.Second, func() { end(s) })
		s.run(start, nil)
		got := s.results["open"]
		if got == nil || !isClosed(got.err) {
			t.Errorf("%s: got %+v; want it told that the opportunity is closed", name, got)
		}
		s.wantLog()
	}
}

func isClosed(err error) bool {
	var application *temporal.ApplicationError
	return errors.As(err, &application) && application.Type() == string(opportunity.Closed)
}
