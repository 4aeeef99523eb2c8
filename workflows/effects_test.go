package workflows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func withTransitionEffects(s *fixture, before, after []string) *fakePlaybook {
	b := &fakePlaybook{features: activities.PlaybookFeatures{Digest: "one", Transitions: true}, resources: map[string]*fakeResource{}}
	for _, name := range slices.Concat(before, after) {
		b.resources[name] = &fakeResource{required: 1}
	}
	b.plan = func(in activities.PlanInput) exchange.Plan {
		if in.PlanFor.Kind != exchange.CauseTransition || in.TargetStep != "Opportunity" {
			return exchange.Plan{}
		}
		return exchange.Plan{Before: effectsNamed(before...), After: effectsNamed(after...)}
	}
	s.tms.playbook = b
	return b
}

func TestEffectsRunWithTheTransition(t *testing.T) {
	s := newFixture(t)
	b := withTransitionEffects(s, []string{"account", "hold"}, []string{"mail", "note"})
	b.resources["hold"].required = 2
	s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", add(1)); s.update("p", "progress", to("Opportunity")) })
	s.at(time.Minute, func() {
		if v := s.view(); len(v.EffectResults) != 4 || v.EffectResults[0].Outcome != opportunity.EffectDone {
			t.Errorf("the view tells of %+v", v.EffectResults)
		}
		s.update("won", "progress", to("Won"))
	})
	s.run(start, nil)
	s.wantDone("p", "won")
	s.wantLog("create", "interest 1", "do account", "do hold", "do hold", "progress Opportunity", "do mail", "do note", "progress Won")
}

func TestExistingResourceIsNotCreated(t *testing.T) {
	s := newFixture(t)
	b := withTransitionEffects(s, []string{"account"}, []string{"invoice"})
	b.resources["account"].done, b.resources["invoice"].done = 1, 1 // by a trigger of the TMS
	s.at(time.Second, func() { s.update("p", "progress", to("Opportunity")) })
	s.at(time.Minute, func() {
		for _, e := range s.view().EffectResults {
			if e.Outcome != opportunity.EffectUnchanged {
				t.Errorf("%s ended as %s; want it found there", e.Key, e.Outcome)
			}
		}
		s.update("won", "progress", to("Won"))
	})
	s.run(start, nil)
	s.wantLog("create", "progress Opportunity", "progress Won")
}

// When any effect of a chain fails, the run undoes the earlier effects of the chain in reverse
// order, and does not make the transition.
func TestAFailedChainUndoesItself(t *testing.T) {
	chain := []string{"a", "b", "c", "d", "e"}
	for at, name := range chain {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			b := withTransitionEffects(s, chain, []string{"after"})
			b.resources["b"].required = 2
			b.resources[name].rejections = 1
			s.at(time.Second, func() { s.update("p", "progress", to("Opportunity")) })
			s.at(time.Hour, func() {
				v := s.view()
				if v.Step.Name != "Proposed" || len(v.Attention) > 0 {
					t.Errorf("it stands in %s, attention %+v", v.Step.Name, v.Attention)
				}
				s.update("c", "close", opportunity.Close{Reason: "over"})
			})
			s.run(start, nil)
			want := []string{"create"}
			for _, done := range chain[:at] {
				want = append(want, slices.Repeat([]string{"do " + done}, b.resources[done].required)...)
			}
			if name == "b" { // rejected at once, so no part of it was done
				b.resources["b"].required = 0
			}
			for _, done := range slices.Backward(chain[:at]) {
				want = append(want, slices.Repeat([]string{"undo " + done}, b.resources[done].required)...)
			}
			s.wantLog(want...)
			got := s.results["p"]
			if got.outcome.State != opportunity.Failed || got.outcome.Error.Type != opportunity.Rejected || !strings.Contains(got.outcome.Error.Message, "Sold Out") {
				t.Errorf("the caller was told %+v", got)
			}
		})
	}
}

func TestARejectedTransitionUndoesItsEffects(t *testing.T) {
	s := newFixture(t)
	withTransitionEffects(s, []string{"a", "b"}, []string{"after"})
	s.tms.apply = func(_ int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if in.Changes[0].Progress == nil {
			return true, nil, nil
		}
		return false, &activities.ApplyResult{CallResult: activities.CallResult{
			Status: exchange.StatusRejected, Error: &opportunity.Error{Type: opportunity.Rejected, Label: "Attribute Missing"},
		}}, nil
	}
	s.at(time.Second, func() { s.update("p", "progress", to("Opportunity")) })
	s.at(time.Hour, func() { s.update("c", "close", opportunity.Close{Reason: "over"}) })
	s.run(start, nil)
	s.wantLog("create", "do a", "do b", "undo b", "undo a")
}

func TestEffectThatCannotBeUndoneIsShown(t *testing.T) {
	s := newFixture(t)
	b := withTransitionEffects(s, []string{"a", "b"}, nil)
	b.resources["a"].cannotUndo, b.resources["b"].rejections = true, 1
	s.at(time.Second, func() { s.update("p", "progress", to("Opportunity")) })
	s.at(time.Minute, func() {
		if got := s.attention(); !slices.Equal(got, []string{"effect"}) {
			t.Fatalf("attention: %v", got)
		}
		s.update("s", "skip", opportunity.Skip{Request: "1/rule/a", Reason: "cleaned up by hand"})
	})
	s.at(2*time.Minute, func() {
		v := s.view()
		if last := v.EffectResults[len(v.EffectResults)-1]; len(v.Attention) > 0 || last.Outcome != opportunity.EffectAbandoned || last.Reason != "cleaned up by hand" {
			t.Errorf("attention %+v, last effect %+v", v.Attention, last)
		}
		s.update("c", "close", opportunity.Close{Reason: "over"})
	})
	s.run(start, nil)
	s.wantDone("s")
	s.wantLog("create", "do a")
}

// When the API reports a change that the API did not make, the next inspection of the effect shows
// that the change is missing.
func TestASilentNoOpIsNotDone(t *testing.T) {
	s := newFixture(t)
	b := withTransitionEffects(s, nil, []string{"hold", "note"})
	b.resources["hold"].ignoredRequests = 1
	s.at(time.Second, func() { s.update("p", "progress", to("Opportunity")) })
	s.at(time.Minute, func() {
		if got := s.attention(); !slices.Equal(got, []string{"effect"}) {
			t.Errorf("attention: %v", got)
		}
		s.wantLog("create", "progress Opportunity")
		s.update("r", "retry", opportunity.Retry{Request: "1/rule/hold"})
	})
	s.at(2*time.Minute, func() { s.update("won", "progress", to("Won")) })
	s.run(start, nil)
	s.wantDone("p", "r", "won")
	s.wantLog("create", "progress Opportunity", "do hold", "do note", "progress Won")
}

// Effects that wait for an operator keep the run open, and delay nothing else.
func TestABlockedEffectDelaysNothingElse(t *testing.T) {
	s := newFixture(t)
	b := withTransitionEffects(s, nil, []string{"invoice", "note"})
	b.resources["invoice"].rejections, b.resources["invoice"].about = 1, `event "First Aid"`
	s.at(time.Second, func() { s.update("p", "progress", to("Opportunity")) })
	s.at(time.Minute, func() { s.update("won", "progress", to("Won")) })
	s.at(time.Minute+time.Second, func() {
		if v := s.view(); len(v.Attention) != 1 || !strings.Contains(v.Attention[0].Reason, "(1/rule/invoice): ") || !strings.Contains(v.Attention[0].Reason, `Sold Out (response to: `) || !strings.Contains(v.Attention[0].Reason, `event "First Aid"`) {
			t.Errorf("attention %+v; want the effect, the event and the reason", v.Attention)
		}
	})
	s.at(time.Hour, func() { s.update("s", "skip", opportunity.Skip{Request: "1/rule/invoice", Reason: "raised by hand"}) })
	s.run(start, nil)
	s.wantDone("won", "s")
	s.wantLog("create", "progress Opportunity", "progress Won", "do note")
}

// Each subtest loses one request of an effect, before or after the API makes the change. The run
// with the lost request ends like a run without a lost request.
func TestALostRequestOfAnEffectChangesNothing(t *testing.T) {
	for _, commits := range []bool{false, true} {
		for k := 1; ; k++ {
			s := newFixture(t)
			b := withTransitionEffects(s, []string{"a", "b"}, []string{"c", "d"})
			b.resources["b"].required, b.resources["d"].required = 2, 3
			reached := false
			b.lost = func(n int) (bool, bool) {
				reached = reached || n == k
				return commits, n == k
			}
			s.at(time.Second, func() { s.env.SignalWorkflow("progress", to("Opportunity")) })
			s.at(time.Hour, func() { s.env.SignalWorkflow("progress", to("Won")) })
			s.run(start, nil)
			s.wantLog("create", "do a", "do b", "do b", "progress Opportunity", "do c", "do d", "do d", "do d", "progress Won")
			if t.Failed() {
				t.Fatalf("request %d was lost, committed %v", k, commits)
			}
			if !reached {
				if k < 8 {
					t.Errorf("only %d requests", k-1)
				}
				break
			}
		}
	}
}

// The API does not show sent emails. If it is unknown whether an email was sent, the run sends the
// email again only if an operator decides so.
func TestAnEmailOfUnknownStatusIsAQuestion(t *testing.T) {
	for _, answer := range []string{"confirm", "retry", "skip"} {
		s := newFixture(t)
		b := withTransitionEffects(s, nil, []string{"mail", "note"})
		b.resources["mail"].kind = exchange.RequestEmail
		b.lost = func(n int) (bool, bool) { return true, n == 1 }
		s.at(time.Second, func() { s.update("p", "progress", to("Opportunity")) })
		s.at(time.Hour, func() {
			s.wantLog("create", "progress Opportunity", "do mail")
			switch answer {
			case "confirm":
				s.update("r", "confirm", opportunity.Confirm{Request: "1/rule/mail"})
			case "retry":
				b.resources["mail"].done = 0
				s.update("r", "retry", opportunity.Retry{Request: "1/rule/mail"})
			case "skip":
				s.update("r", "skip", opportunity.Skip{Request: "1/rule/mail", Reason: "it came"})
			}
		})
		s.at(2*time.Hour, func() { s.update("won", "progress", to("Won")) })
		s.run(start, nil)
		s.wantDone("r", "won")
		want := []string{"create", "progress Opportunity", "do mail", "do note", "progress Won"}
		if answer == "retry" {
			want = slices.Insert(want, 2, "do mail")
		}
		s.wantLog(want...)
	}
}

func TestAnEffectWaitsForItsTime(t *testing.T) {
	s := newFixture(t)
	b := withTransitionEffects(s, nil, []string{"invoice", "note"})
	final := time.Date(2026, 12, 24, 9, 0, 0, 0, time.UTC)
	b.resources["invoice"].inspect = func(in activities.EffectInput) *activities.InspectResult {
		if in.Now.Before(final) {
			return &activities.InspectResult{RecheckAt: final, NonBlocking: true, UndoEntry: in.UndoEntry}
		}
		return nil
	}
	s.at(time.Second, func() { s.update("p", "progress", to("Opportunity")) })
	s.at(time.Hour, func() {
		s.wantLog("create", "progress Opportunity", "do note")
		s.update("won", "progress", to("Won"))
	})
	s.run(start, nil)
	s.wantLog("create", "progress Opportunity", "do note", "progress Won", "do invoice")
	if s.env.Now().Before(final) {
		t.Errorf("it ended at %s", s.env.Now())
	}
}

// A cancelled or closed run undoes the effects of a transition that is not made, and records the
// effects that it abandons.
func TestShutdownUndoesEffects(t *testing.T) {
	for _, way := range []string{"cancel", "close"} {
		t.Run(way, func(t *testing.T) {
			s := newFixture(t)
			b := withTransitionEffects(s, []string{"a", "tokens"}, nil)
			b.resources["tokens"].inspect = func(in activities.EffectInput) *activities.InspectResult {
				return &activities.InspectResult{RecheckAt: in.Now.Add(time.Minute), UndoEntry: in.UndoEntry}
			}
			s.at(time.Second, func() { s.update("p", "progress", to("Opportunity")) })
			s.at(90*time.Second, func() {
				if way == "cancel" {
					s.env.CancelWorkflow()
				} else {
					s.update("c", "close", opportunity.Close{Reason: "over"})
				}
			})
			s.run(start, nil)
			s.wantLog("create", "do a", "undo a")
		})
	}
}

// While the API is unreachable, the run waits in a few activities, and each activity waits longer
// than the activity before. The outage raises no attention for an effect.
func TestEffectsWaitForTheAPI(t *testing.T) {
	s := newFixture(t)
	withTransitionEffects(s, []string{"a"}, []string{"b"})
	plans := s.countStarted(activities.PlanOpportunity)
	s.at(time.Second, func() {
		s.tms.down = temporal.NewApplicationError("out", "unreachable")
		s.update("p", "progress", to("Opportunity"))
	})
	s.at(time.Hour, func() {
		if s.wantLog("create"); *plans > 8 {
			t.Errorf("%d activities during an hour of outage; want at most 8", *plans)
		}
		s.tms.down = nil
	})
	s.at(62*time.Minute, func() { s.wantLog("create", "do a", "progress Opportunity", "do b") })
	s.at(2*time.Hour, func() { s.update("won", "progress", to("Won")) })
	s.run(start, nil)
	s.wantDone("won")
	s.wantLog("create", "do a", "progress Opportunity", "do b", "progress Won")
}

func TestAResetSendsNoMailAgain(t *testing.T) {
	s := newFixture(t)
	b := withTransitionEffects(s, nil, []string{"tokens", "mail"})
	issued := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	b.resources["tokens"].inspect = func(in activities.EffectInput) *activities.InspectResult {
		if in.Now.Before(issued) {
			return &activities.InspectResult{RecheckAt: issued, UndoEntry: in.UndoEntry}
		}
		return nil
	}
	b.plan = func(in activities.PlanInput) exchange.Plan {
		if in.TargetStep != "Opportunity" {
			return exchange.Plan{}
		}
		effects := effectsNamed("tokens", "mail")
		effects[1].Kind = opportunity.EffectEmail
		return exchange.Plan{After: effects}
	}
	s.at(time.Second, func() { s.env.SignalWorkflow("progress", to("Opportunity")) })
	s.at(time.Minute, func() { s.tms.run = "another" }) // the server's id of the run after a reset
	s.at(2*time.Hour, func() {
		s.wantLog("create", "progress Opportunity", "do tokens")
		if got := s.attention(); !slices.Equal(got, []string{"effect"}) {
			t.Errorf("attention: %v", got)
		}
		s.update("r", "skip", opportunity.Skip{Request: "1/rule/mail", Reason: "it came"})
	})
	s.at(3*time.Hour, func() { s.env.SignalWorkflow("progress", to("Won")) })
	s.run(start, nil)
	s.wantDone("r")
	s.wantLog("create", "progress Opportunity", "do tokens", "progress Won")
}

// When the playbook cannot decide a condition, the attention stays in the view until an operator
// acknowledges the attention.
func TestAnOperatorAcknowledgesAttention(t *testing.T) {
	for name, answer := range map[string]func(s *fixture, request string){
		"skip": func(s *fixture, request string) {
			s.update("s", "skip", opportunity.Skip{Request: request, Reason: "seen"})
		},
		"acknowledge": func(s *fixture, request string) {
			s.update("s", "acknowledge", opportunity.Acknowledge{Request: request})
		},
		"acknowledge by signal": func(s *fixture, request string) {
			s.env.SignalWorkflow("acknowledge", opportunity.Acknowledge{Request: request})
		},
		"acknowledge during a pause": func(s *fixture, request string) {
			s.update("z", "pause", opportunity.Pause{})
			s.update("s", "acknowledge", opportunity.Acknowledge{Request: request, Kind: "playbook"})
			s.update("x", "resume", opportunity.Resume{})
		},
	} {
		t.Run(name, func(t *testing.T) { testAcknowledgedAttention(t, answer) })
	}
}

func testAcknowledgedAttention(t *testing.T, answer func(s *fixture, request string)) {
	t.Helper()
	s := newFixture(t)
	b := withTransitionEffects(s, nil, nil)
	b.plan = func(in activities.PlanInput) exchange.Plan {
		return exchange.Plan{Problems: []string{"win: its condition cannot be decided"}}
	}
	s.at(time.Second, func() { s.update("p", "progress", to("Opportunity")) })
	s.at(time.Minute, func() {
		raised := s.view().Attention
		if len(raised) != 1 || raised[0].Kind != opportunity.AttentionPlaybook {
			t.Fatalf("attention: %+v", raised)
		}
		s.update("r", "retry", opportunity.Retry{Request: raised[0].Request})
		answer(s, raised[0].Request)
	})
	s.at(2*time.Minute, func() {
		if got := s.attention(); len(got) > 0 {
			t.Errorf("attention: %v", got)
		}
		s.update("c", "close", opportunity.Close{Reason: "over"})
	})
	s.run(start, nil)
	s.wantDone("p")
	if s.results["s"] != nil {
		s.wantDone("s")
	}
	s.wantRefused("r", opportunity.NotFound)
}

// After a cancellation, the run inspects the effect only when the API can no longer commit a
// request of the effect.
func TestACancellationWaitsForLateCommits(t *testing.T) {
	s := newFixture(t)
	b := withTransitionEffects(s, []string{"a"}, nil)
	cancelled := time.Time{}
	b.lost = func(n int) (bool, bool) {
		if n == 1 {
			cancelled = s.env.Now()
			s.env.CancelWorkflow()
		}
		return true, n == 1
	}
	s.at(time.Second, func() { s.env.SignalWorkflow("progress", to("Opportunity")) })
	s.run(start, nil)
	s.wantLog("create", "do a", "undo a")
	if waited := s.env.Now().Sub(cancelled); waited < time.Minute {
		t.Errorf("it was looked at %s after the request", waited)
	}
}
