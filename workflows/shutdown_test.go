package workflows_test

import (
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// In this test, a paused opportunity has effects of a transition that is not made yet. The
// opportunity is then closed or cancelled. During the pause, the run undoes the effects and
// releases the reservation.
func TestEffectsAreUndoneWhilePaused(t *testing.T) {
	for name, end := range map[string]func(s *fixture){
		"cancel": func(s *fixture) { s.env.CancelWorkflow() },
		"close":  func(s *fixture) { s.env.SignalWorkflow("close", opportunity.Close{Reason: "entered twice"}) },
		"close, and a pause after it": func(s *fixture) {
			s.env.SignalWorkflow("close", opportunity.Close{Reason: "entered twice"})
			s.at(time.Second, func() { s.env.SignalWorkflow("pause", opportunity.Pause{Reason: "wait"}) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			b := withTransitionEffects(s, []string{"account", "hold"}, nil)
			b.resources["hold"].inspect = func(in activities.EffectInput) *activities.InspectResult {
				if in.Undo || b.resources["hold"].done == 1 {
					return nil
				}
				if s.env.Now().Before(time.Date(2026, 11, 23, 9, 5, 0, 0, time.UTC)) {
					return &activities.InspectResult{UndoEntry: in.UndoEntry, RecheckAt: s.env.Now().Add(time.Minute)}
				}
				return nil
			}
			s.tms.reservation = opportunity.Reservation{}
			s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", reserved(1)) })
			s.at(2*time.Second, func() { s.env.SignalWorkflow("progress", to("Opportunity")) })
			s.at(10*time.Second, func() { s.env.SignalWorkflow("pause", opportunity.Pause{}) })
			s.at(20*time.Second, func() { end(s) })
			s.run(start, nil)
			s.wantLog("create", "interest 1", "extend", "do account", "undo account", "release")
			if view := s.view(); len(view.Attention) > 1 || len(view.RunningEffects) != 0 {
				t.Errorf("attention %+v, effects under way %+v", view.Attention, view.RunningEffects)
			}
		})
	}
}

// When a run ends, an effect may have to wait until an undo of the effect is possible. The run
// waits for the undo.
func TestARunEndsAfterItsEffectsAreUndone(t *testing.T) {
	s := newFixture(t)
	b := withTransitionEffects(s, []string{"account"}, nil)
	looked := 0
	b.resources["account"].inspect = func(in activities.EffectInput) *activities.InspectResult {
		if looked++; in.Undo && looked < 5 {
			return &activities.InspectResult{UndoEntry: in.UndoEntry, RecheckAt: s.env.Now().Add(time.Minute)}
		}
		return nil
	}
	s.tms.apply = func(_ int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		return false, &activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnreachable}}, nil
	}
	s.at(time.Second, func() { s.env.SignalWorkflow("progress", to("Opportunity")) })
	s.at(20*time.Second, s.env.CancelWorkflow)
	s.run(start, nil)
	s.wantLog("create", "do account", "undo account")
}

// Somebody ends the child workflow that tags a record, and the run starts the child workflow again.
func TestAnAdoptionThatSomebodyEnds(t *testing.T) {
	s := newFixture(t)
	createRecord(s)
	s.tms.tag = func(n int) (bool, *activities.CallResult, error) {
		if n < 4 {
			return false, &activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnreachable}, nil
		}
		return true, nil, nil
	}
	s.at(time.Second, func() { s.env.CancelWorkflowByID("adoption/"+string(id("Opportunity", 2)), "") })
	s.winAt(time.Hour)
	s.run(adoptStart, nil)
	s.wantLog("mark By hand of A-1", "progress Opportunity", "progress Won")
}

// The run parks a transition that the API fails to make, and an operator skips the transition. The
// run undoes the effects of the transition, and no attention remains.
func TestSkippingAParkedTransitionUndoesItsEffects(t *testing.T) {
	for _, way := range []string{"signal", "update"} {
		t.Run(way, func(t *testing.T) {
			s := newFixture(t)
			withTransitionEffects(s, []string{"account", "hold"}, []string{"mail"})
			s.tms.apply = func(_ int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
				if len(in.Changes) > 0 && in.Changes[0].Progress != nil {
					return false, &activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusUnknown, ServerError: true}}, nil
				}
				return true, nil, nil
			}
			move := to("Opportunity")
			move.RequestID = "m"
			s.at(time.Second, func() { s.env.SignalWorkflow("progress", move) })
			skip := opportunity.Skip{Request: "m", Reason: "never mind"}
			s.at(time.Hour, func() {
				if v := s.view(); len(v.Parked) != 1 {
					t.Errorf("parked %+v; want the move", v.Parked)
				}
				if way == "signal" {
					s.env.SignalWorkflow("skip", skip)
				} else {
					s.update("skip", "skip", skip)
				}
			})
			s.at(2*time.Hour, func() {
				if v := s.view(); len(v.Attention) != 0 || len(v.RunningEffects) != 0 {
					t.Errorf("attention %+v, effects under way %+v; want none", v.Attention, v.RunningEffects)
				}
				s.env.CancelWorkflow()
			})
			s.run(start, nil)
			s.wantLog("create", "do account", "do hold", "undo hold", "undo account")
			if got, err := s.outcomeOf(map[string]string{"requestId": "m"}); err != nil || got.Error == nil || got.Error.Type != opportunity.Skipped {
				t.Errorf("the move: got %+v, %v; want it skipped", got, err)
			}
		})
	}
}

// The run abandoned an effect because it is unknown whether its transition was made. An operator
// can acknowledge the attention for the abandoned effect.
func TestAttentionAboutAnAbandonedEffectCanBeCleared(t *testing.T) {
	s := newFixture(t)
	withTransitionEffects(s, []string{"account"}, nil)
	s.tms.apply = func(_ int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		s.tms.step = steps[2] // somebody moved the record to another step in the meantime
		return false, &activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusUnknown}}, nil
	}
	move := to("Opportunity")
	move.RequestID = "m"
	s.at(time.Second, func() { s.env.SignalWorkflow("progress", move) })
	s.at(time.Hour, func() { s.env.SignalWorkflow("skip", opportunity.Skip{Request: "m", Reason: "never mind"}) })
	s.at(2*time.Hour, func() {
		v := s.view()
		if len(v.Attention) != 1 || v.Attention[0].Kind != opportunity.AttentionEffect {
			t.Errorf("attention %+v; want it about the effect", v.Attention)
			return
		}
		s.update("seen", "skip", opportunity.Skip{Request: v.Attention[0].Request, Reason: "I looked"})
	})
	s.at(3*time.Hour, func() {
		if v := s.view(); len(v.Attention) != 0 {
			t.Errorf("attention %+v; want none", v.Attention)
		}
		s.env.CancelWorkflow()
	})
	s.run(start, nil)
	s.wantDone("seen")
}
