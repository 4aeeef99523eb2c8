package workflows_test

import (
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// A paused opportunity with effects of a move that is not made yet is closed or cancelled. The
// effects are undone, and the places are given back.
func TestEffectsAreTakenBackWhileItIsPaused(t *testing.T) {
	for name, end := range map[string]func(s *stage){
		"cancel": func(s *stage) { s.env.CancelWorkflow() },
		"close":  func(s *stage) { s.env.SignalWorkflow("close", opportunity.Close{Reason: "entered twice"}) },
		"close, and a pause after it": func(s *stage) {
			s.env.SignalWorkflow("close", opportunity.Close{Reason: "entered twice"})
			s.at(time.Second, func() { s.env.SignalWorkflow("pause", opportunity.Pause{Reason: "wait"}) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			b := moving(s, []string{"account", "hold"}, nil)
			b.things["hold"].looks = func(in activities.EffectInput) *activities.InspectResult {
				if in.Undo || b.things["hold"].done == 1 {
					return nil
				}
				if s.env.Now().Before(time.Date(2026, 11, 23, 9, 5, 0, 0, time.UTC)) {
					return &activities.InspectResult{Trace: in.Trace, Again: s.env.Now().Add(time.Minute)}
				}
				return nil
			}
			s.record.held = opportunity.Reservation{}
			s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", reserved(1)) })
			s.at(2*time.Second, func() { s.env.SignalWorkflow("progress", to("Opportunity")) })
			s.at(10*time.Second, func() { s.env.SignalWorkflow("pause", opportunity.Pause{}) })
			s.at(20*time.Second, func() { end(s) })
			s.run(start, nil)
			s.wantLog("create", "interest 1", "extend", "do account", "undo account", "release")
			if view := s.view(); len(view.Attention) > 1 || len(view.Working) != 0 {
				t.Errorf("attention %+v, effects under way %+v", view.Attention, view.Working)
			}
		})
	}
}

// When a run ends, an effect to undo may have to wait for its time; the run waits for that time,
// too.
func TestARunEndsWhenItsEffectsAreTakenBack(t *testing.T) {
	s := newStage(t)
	b := moving(s, []string{"account"}, nil)
	looked := 0
	b.things["account"].looks = func(in activities.EffectInput) *activities.InspectResult {
		if looked++; in.Undo && looked < 5 {
			return &activities.InspectResult{Trace: in.Trace, Again: s.env.Now().Add(time.Minute)}
		}
		return nil
	}
	s.record.apply = func(_ int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		return false, &activities.ApplyResult{Sending: activities.Sending{Fate: opportunity.FateNotSent, Reason: activities.ReasonUnreachable}}, nil
	}
	s.at(time.Second, func() { s.env.SignalWorkflow("progress", to("Opportunity")) })
	s.at(20*time.Second, s.env.CancelWorkflow)
	s.run(start, nil)
	s.wantLog("create", "do account", "undo account")
}

// Somebody ends the workflow that marks a record; that workflow is begun again.
func TestAnAdoptionThatSomebodyEnds(t *testing.T) {
	s := newStage(t)
	standing(s)
	s.record.mark = func(n int) (bool, *activities.Sending, error) {
		if n < 4 {
			return false, &activities.Sending{Fate: opportunity.FateNotSent, Reason: activities.ReasonUnreachable}, nil
		}
		return true, nil, nil
	}
	s.at(time.Second, func() { s.env.CancelWorkflowByID("adoption/"+string(id("Opportunity", 2)), "") })
	s.win(time.Hour)
	s.run(adoptIt, nil)
	s.wantLog("mark By hand of A-1", "progress Opportunity", "progress Won")
}

// A move that the API fails to make is parked, and an operator skips it; its effects are undone,
// and no attention is left.
func TestSkippingAParkedMoveTakesItsEffectsBack(t *testing.T) {
	for _, way := range []string{"signal", "update"} {
		t.Run(way, func(t *testing.T) {
			s := newStage(t)
			moving(s, []string{"account", "hold"}, []string{"mail"})
			s.record.apply = func(_ int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
				if len(in.Mutations) > 0 && in.Mutations[0].Progress != nil {
					return false, &activities.ApplyResult{Sending: activities.Sending{Fate: opportunity.FateUnknown, Failing: true}}, nil
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
				if v := s.view(); len(v.Attention) != 0 || len(v.Working) != 0 {
					t.Errorf("attention %+v, effects under way %+v; want none", v.Attention, v.Working)
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

// An effect was left as it is, since it is unknown whether its move was made; an operator can
// acknowledge this.
func TestAttentionAboutAnEffectThatWasLeftCanBeRemoved(t *testing.T) {
	s := newStage(t)
	moving(s, []string{"account"}, nil)
	s.record.apply = func(_ int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		s.record.step = steps[2] // somebody moved the record elsewhere in the meantime
		return false, &activities.ApplyResult{Sending: activities.Sending{Fate: opportunity.FateUnknown}}, nil
	}
	move := to("Opportunity")
	move.RequestID = "m"
	s.at(time.Second, func() { s.env.SignalWorkflow("progress", move) })
	s.at(time.Hour, func() { s.env.SignalWorkflow("skip", opportunity.Skip{Request: "m", Reason: "never mind"}) })
	s.at(2*time.Hour, func() {
		v := s.view()
		if len(v.Attention) != 1 || v.Attention[0].Word != opportunity.AttentionEffect {
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
