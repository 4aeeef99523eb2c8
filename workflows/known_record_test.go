package workflows_test

import (
	"slices"
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// The run plans a transition without a read when the last response shows the record and nothing
// indicates a later change of the record.
func TestATransitionIsPlannedFromTheLastResponse(t *testing.T) {
	for name, c := range map[string]struct {
		before   func(*fixture) // at one hour
		wait     time.Duration  // until the progress command
		wantRead bool
	}{
		"after an update": {before: func(s *fixture) { s.update("u", "updateDetails", opportunity.UpdateDetails{Currency: "EUR"}) }, wait: time.Second},
		"after an update and an interest": {before: func(s *fixture) {
			s.update("u", "updateDetails", opportunity.UpdateDetails{Currency: "EUR"})
			s.update("i", "addInterests", add(1))
		}, wait: time.Second},
		"after a read":            {before: func(s *fixture) { s.update("r", "refresh", opportunity.Refresh{}) }, wait: time.Second},
		"long after an update":    {before: func(s *fixture) { s.update("u", "updateDetails", opportunity.UpdateDetails{Currency: "EUR"}) }, wait: 30 * time.Second, wantRead: true},
		"after an interest alone": {before: func(s *fixture) { s.update("i", "addInterests", add(1)) }, wait: time.Second, wantRead: true},
		"after a rejected interest": {before: func(s *fixture) {
			s.update("r", "refresh", opportunity.Refresh{})
			s.update("i", "addInterests", add(13))
		}, wait: time.Second, wantRead: true},
		"after a response with other values": {before: func(s *fixture) {
			s.tms.details.Account = opportunity.Ref{ID: "other"}
			s.tms.items = append(s.tms.items, exchange.InterestRef{ID: "by a person"})
			s.update("u", "updateDetails", opportunity.UpdateDetails{Currency: "EUR"})
		}, wait: time.Second, wantRead: true},
		"when the plan needs more": {before: func(s *fixture) { s.tms.playbook.needsRead = true; s.update("r", "refresh", opportunity.Refresh{}) }, wait: time.Second, wantRead: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			b := withTransitionEffects(s, nil, []string{"invoice"})
			s.at(time.Hour, func() { c.before(s) })
			s.at(time.Hour+c.wait, func() { s.update("p", "progress", to("Opportunity")) })
			s.at(2*time.Hour, func() {
				if b.plans != 1 || (b.reads == 1) != c.wantRead {
					t.Errorf("%d plans, %d of them with a read; want a read: %t", b.plans, b.reads, c.wantRead)
				}
				if b.resources["invoice"].done != 1 {
					t.Errorf("the effect was done %d times, want once", b.resources["invoice"].done)
				}
			})
			s.winAt(3 * time.Hour)
			s.run(start, nil)
			s.wantDone("p")
		})
	}
}

// A person makes a transition shortly after the last response, so Oppflow plans the next transition
// without a read. The API rejects the transition of the command. Oppflow then reads the record and
// does the effects of the transition by hand.
func TestAManualTransitionIsNoticedAfterAPlanWithoutARead(t *testing.T) {
	s := newFixture(t)
	b := withTransitionEffects(s, nil, []string{"invoice"})
	plan := b.plan
	b.plan = func(in activities.PlanInput) exchange.Plan {
		if in.PlanFor.To.Name == "Opportunity" {
			in.TargetStep = "Opportunity"
		}
		return plan(in)
	}
	s.at(time.Hour, func() { s.update("u", "updateDetails", opportunity.UpdateDetails{Currency: "EUR"}) })
	s.at(time.Hour+time.Second, func() { s.tms.step = steps[1] })
	s.at(time.Hour+2*time.Second, func() { s.update("p", "progress", to("Opportunity")) })
	s.at(time.Hour+10*time.Second, func() {
		if got := s.results["p"].outcome; got.State != opportunity.Failed || got.Error.Type != opportunity.TransitionNotFound {
			t.Errorf("the outcome is %+v, want the rejection of the API", got)
		}
		if v := s.view(); v.Step.Name != "Opportunity" || b.resources["invoice"].done != 1 {
			t.Errorf("step %s, the effect was done %d times; want the effects of the transition by hand", v.Step.Name, b.resources["invoice"].done)
		}
		s.update("won", "progress", to("Won"))
	})
	s.run(start, nil)
	s.wantDone("won")
}

// The last inspection of the effects of a final step also finds external changes, so the run need
// not read the record again before the run ends.
func TestTheLastInspectionFindsExternalChanges(t *testing.T) {
	for name, cancelled := range map[string]bool{"nothing happened": false, "the event was cancelled": true} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			b := withTransitionEffects(s, nil, []string{"invoice"})
			b.features.Reactions, b.features.FollowUps, b.features.FollowUpSteps = true, true, exchange.StepPatternsOf(exchange.StepPattern{State: opportunity.Open})
			b.resources["mail"] = &fakeResource{required: 1}
			b.plan = func(in activities.PlanInput) exchange.Plan {
				switch {
				case in.PlanFor.Kind == exchange.CauseTransition && in.TargetStep == "Won":
					return exchange.Plan{After: effectsNamed("invoice")}
				case in.PlanFor.Kind == exchange.CauseEventCancelled:
					return exchange.Plan{After: effectsNamed("mail")}
				}
				return exchange.Plan{}
			}
			reads := 0
			s.at(time.Second, func() { s.update("i", "addInterests", reserved(1)) })
			s.at(time.Minute, func() { s.update("p", "progress", to("Opportunity")) })
			s.at(time.Hour, func() {
				if reads = b.reads; cancelled {
					b.events = []activities.EventChange{{Event: id("Course", 1), Cancelled: true}}
				}
				s.update("r", "refresh", opportunity.Refresh{})
				s.update("won", "progress", to("Won"))
			})
			s.run(start, nil)
			s.wantDone("i", "p", "won")
			want := 0
			if cancelled {
				want = 1
			}
			if b.resources["invoice"].done != 1 || b.resources["mail"].done != want {
				t.Errorf("the effect of the transition was done %d times, the reaction %d times; want 1 and %d", b.resources["invoice"].done, b.resources["mail"].done, want)
			}
			if got := b.reads - reads; got != want {
				t.Errorf("%d plans read the record, want %d for the reaction", got, want)
			}
			if slices.Contains(s.tms.log, "do mail") != cancelled {
				t.Errorf("what took effect: %v", s.tms.log)
			}
		})
	}
}
