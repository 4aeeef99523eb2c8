package workflows_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func (s *fixture) failInterests(quantity int, until func() bool) {
	s.tms.apply = func(_ int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		bad := slices.ContainsFunc(in.Changes, func(m exchange.Change) bool { return m.Interest != nil && m.Interest.Quantity == quantity })
		if bad && !until() {
			return false, &activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusUnknown, ServerError: true}}, nil
		}
		return true, nil, nil
	}
}

// A command that the API cannot execute delays the other commands for some minutes. After the
// delay, only the command that the API cannot execute waits for an operator.
func TestACommandThatTheAPICannotCarryOutIsParked(t *testing.T) {
	s := newFixture(t)
	mended := false
	s.failInterests(2, func() bool { return mended })
	bad := add(2)
	bad.RequestID = "bad"
	s.at(time.Second, func() {
		s.env.SignalWorkflow("addInterests", add(1))
		s.env.SignalWorkflow("addInterests", bad)
		s.env.SignalWorkflow("addInterests", add(3))
	})
	s.at(9*time.Minute, func() {
		if view := s.view(); len(view.Parked) > 0 {
			t.Error("parked before ten minutes")
		}
	})
	s.at(20*time.Minute, func() {
		view := s.view()
		if len(view.Queue) != 0 || len(view.Parked) != 1 || view.Parked[0].Request != "bad" || view.Question != nil {
			t.Errorf("after 20 minutes: queue %+v, parked %+v, question %+v", view.Queue, view.Parked, view.Question)
		}
		if got := s.attention(); !slices.Equal(got, []string{"parked"}) {
			t.Errorf("attention: %v", got)
		}
		s.wantLog("create", "interest 1", "interest 3")
		mended = true
		s.env.SignalWorkflow("retry", opportunity.Retry{Request: "bad"})
	})
	s.winAt(30 * time.Minute)
	s.run(start, nil)
	s.wantLog("create", "interest 1", "interest 3", "interest 2", "progress Opportunity", "progress Won")
	if s.tms.applies > 25 {
		t.Errorf("%d requests; the API was hammered", s.tms.applies)
	}
}

// When the API does not respond to the probe either, the cause is the API and not a command. The
// run then parks no command.
func TestNothingIsParkedWhileTheAPIIsDown(t *testing.T) {
	s := newFixture(t)
	up := false
	s.failInterests(2, func() bool { return up })
	s.tms.down = errors.New("no answer")
	s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", add(2)) })
	s.at(time.Hour, func() {
		if view := s.view(); len(view.Parked) != 0 || len(view.Queue) != 1 {
			t.Errorf("parked %+v, queue %+v", view.Parked, view.Queue)
		}
		if got := s.attention(); !slices.Equal(got, []string{"api"}) {
			t.Errorf("attention: %v", got)
		}
		up, s.tms.down = true, nil
	})
	s.winAt(2 * time.Hour)
	s.run(start, nil)
	s.wantLog("create", "interest 2", "progress Opportunity", "progress Won")
}

func TestARunWaitsForWhatIsParked(t *testing.T) {
	s := newFixture(t)
	s.failInterests(2, func() bool { return false })
	bad := add(2)
	bad.RequestID = "bad"
	s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", bad) })
	s.winAt(20 * time.Minute)
	s.at(time.Hour, func() {
		if s.env.IsWorkflowCompleted() {
			t.Error("the run ended with a command parked")
		}
		s.update("decided", "skip", opportunity.Skip{Request: "bad", Reason: "never mind"})
	})
	s.run(start, nil)
	s.wantLog("create", "progress Opportunity", "progress Won")
	if got, err := s.outcomeOf(map[string]string{"requestId": "bad"}); err != nil || got.Error == nil || got.Error.Type != opportunity.Skipped {
		t.Errorf("got %+v, %v", got, err)
	}
	if state := s.ended(); state.FailedRequests != 1 {
		t.Errorf("got %+v", state)
	}
}

// When the API fails during the creation of the record, the record is still created only once, with
// few requests.
func TestErrorsWhileTheRecordIsCreated(t *testing.T) {
	s := newFixture(t)
	var sent []time.Time
	s.tms.create = func(n int) (bool, *activities.CreateResult, error) {
		sent = append(sent, s.env.Now())
		if n < 6 {
			return false, &activities.CreateResult{CallResult: activities.CallResult{Status: exchange.StatusUnknown, ServerError: true}}, nil
		}
		return true, nil, nil
	}
	s.winAt(time.Hour)
	s.run(start, nil)
	s.wantLog("create", "progress Opportunity", "progress Won")
	if first, last := sent[1].Sub(sent[0]), sent[5].Sub(sent[4]); last <= first {
		t.Errorf("the pauses do not grow: %s, then %s", first, last)
	}
}
