package workflows_test

import (
	"slices"
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// A person removes a learner's interest from the record in the TMS. With or without a refresh,
// Oppflow then does not register the learner, and does not keep the learner in the state.
func TestALearnerWhoIsOffTheOrderIsNotRegistered(t *testing.T) {
	for _, refreshed := range []bool{true, false} {
		s := newFixture(t)
		b := &fakePlaybook{features: activities.PlaybookFeatures{Digest: "one", Transitions: true, Learners: true}, resources: map[string]*fakeResource{"register": {required: 1}}}
		register := exchange.Effect{Key: "rule/register", Kind: opportunity.EffectRegister, Undo: exchange.UndoPartial, Settings: exchange.NewSettings(exchange.RegisterLearners{})}
		b.plan = func(in activities.PlanInput) exchange.Plan {
			if in.PlanFor.Kind != exchange.CauseTransition {
				return exchange.Plan{}
			}
			return exchange.Plan{After: []exchange.Effect{register}}
		}
		var seen []string
		b.resources["register"].inspect = func(in activities.EffectInput) *activities.InspectResult {
			for _, a := range in.Attendees {
				if a.Person != nil && !slices.Contains(seen, a.Person.FirstName) {
					seen = append(seen, a.Person.FirstName)
				}
			}
			return nil
		}
		s.tms.playbook = b
		for n, name := range []string{"Stays", "Leaves"} {
			one := reserveFor(n+1, name)
			one.Interests[0].Reserve = false
			s.at(time.Duration(n+1)*time.Second, func() {
				s.env.SignalWorkflow("addInterests", one)
			})
		}
		s.at(time.Minute, func() {
			if len(s.tms.items) != 2 {
				t.Fatalf("%d interests stand: %+v", len(s.tms.items), s.view().Attention)
			}
			s.tms.items = s.tms.items[:1]
			if refreshed {
				s.env.SignalWorkflow("refresh", opportunity.Refresh{})
			}
		})
		s.winAt(2 * time.Minute)
		s.run(start, nil)
		if !slices.Equal(seen, []string{"Stays"}) {
			t.Errorf("refreshed %t: registered are %v; want the one whose interest is there", refreshed, seen)
		}
	}
}

// After a transition by hand, the times of follow-ups are measured from the time when the run
// detected the transition. If the planning of follow-ups detected the transition, the times are
// also measured from the detection.
func TestFollowUpsAfterAManualTransition(t *testing.T) {
	s := newFixture(t)
	b := followUps(s, callFollowUp)
	inner := b.plan
	b.plan = func(in activities.PlanInput) exchange.Plan {
		plan := inner(in)
		if s.tms.step.Name != "Opportunity" {
			return plan
		}
		// The rule that plans the call also applies to the step that a person chose.
		key := keyOf(in.Entered, "call")
		if !slices.ContainsFunc(in.DoneFollowUps, func(d exchange.DoneFollowUp) bool { return d.Key == key }) {
			due := in.Entered.Add(callFollowUp.after)
			if due.Before(in.Now) {
				due = in.Now
			}
			plan.FollowUps = append(plan.FollowUps, exchange.FollowUp{Key: key, Name: "call", Due: due, Number: 1, Of: 1, Action: callFollowUp.action})
		}
		return plan
	}
	s.at(3*time.Hour, func() { s.tms.step = steps[1] }) // by hand
	s.at(4*time.Hour, func() { s.update("u", "addInterests", add(1)) })
	s.at(6*time.Hour, func() {
		if got := s.followUpLog(); got != "call 1h0m0s, call 5h0m0s" {
			t.Errorf("follow-up started: %s; want once in each step, an hour after it was noticed", got)
		}
	})
	s.at(7*time.Hour, func() { s.env.SignalWorkflow("progress", to("Won")) })
	s.run(start, nil)
}

// The times of follow-ups on an adopted record are measured from the adoption.
func TestFollowUpsOfAnAdoption(t *testing.T) {
	s := newFixture(t)
	createRecord(s)
	followUps(s, callFollowUp)
	s.at(30*time.Minute, func() { s.wantFollowUps("") })
	s.at(2*time.Hour, func() { s.wantFollowUps("call 1h0m0s") })
	s.winAt(3 * time.Hour)
	s.run(adoptStart, nil)
}

// A follow-up is due after an hour without activity. Before the hour ends, a person renames the
// record or edits its interests. The read at the time of the follow-up shows the change, so the
// hour begins again.
func TestNobodyIsChasedWhileAPersonWorksWithTheRecord(t *testing.T) {
	for name, edit := range map[string]func(*fixture){
		"a new name": func(s *fixture) { s.tms.details.Name = "First Aid in June" },
		"another interest": func(s *fixture) {
			s.tms.items = append(s.tms.items, exchange.InterestRef{ID: "by hand", Item: "course"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			b := followUps(s, callFollowUp)
			b.plan = func(in activities.PlanInput) exchange.Plan {
				plan := exchange.Plan{Digest: "one"}
				key := keyOf(startTime, "call")
				if s.tms.step.Name != "Proposed" || slices.ContainsFunc(in.DoneFollowUps, func(d exchange.DoneFollowUp) bool { return d.Key == key }) {
					return plan
				}
				due := in.LastActivity.Add(callFollowUp.after)
				if due.Before(in.Now) {
					due = in.Now
				}
				plan.FollowUps = []exchange.FollowUp{{Key: key, Name: "call", Due: due, Number: 1, Of: 1, Action: callFollowUp.action}}
				return plan
			}
			s.at(30*time.Minute, func() { edit(s) })
			s.at(90*time.Minute, func() { s.wantFollowUps("") })
			s.at(150*time.Minute, func() { s.wantFollowUps("call 2h0m0s") })
			s.winAt(3 * time.Hour)
			s.run(start, nil)
		})
	}
}
