package workflows_test

import (
	"slices"
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// When somebody takes a learner's interest off the order in the TMS, the learner is not registered,
// and not remembered, with or without a refresh.
func TestALearnerWhoIsOffTheOrderIsNotRegistered(t *testing.T) {
	for _, refreshed := range []bool{true, false} {
		s := newStage(t)
		b := &book{has: activities.Rules{Digest: "one", Moves: true, Learners: true}, things: map[string]*thing{"register": {needs: 1}}}
		register := opportunity.Effect{Key: "rule/register", Kind: opportunity.EffectRegister, Undo: opportunity.UndoTrace, Register: &opportunity.Register{}}
		b.plan = func(in activities.PlanInput) opportunity.Plan {
			if in.Occasion.Kind != opportunity.OccasionMove {
				return opportunity.Plan{}
			}
			return opportunity.Plan{After: []opportunity.Effect{register}}
		}
		var seen []string
		b.things["register"].looks = func(in activities.EffectInput) *activities.InspectResult {
			for _, a := range in.Attendees {
				if a.Person != nil && !slices.Contains(seen, a.Person.FirstName) {
					seen = append(seen, a.Person.FirstName)
				}
			}
			return nil
		}
		s.record.book = b
		for n, name := range []string{"Stays", "Leaves"} {
			one := places(n+1, name)
			one.Interests[0].Reserve = false
			s.at(time.Duration(n+1)*time.Second, func() {
				s.env.SignalWorkflow("addInterests", one)
			})
		}
		s.at(time.Minute, func() {
			if len(s.record.items) != 2 {
				t.Fatalf("%d interests stand: %+v", len(s.record.items), s.view().Attention)
			}
			s.record.items = s.record.items[:1]
			if refreshed {
				s.env.SignalWorkflow("refresh", opportunity.Refresh{})
			}
		})
		s.win(2 * time.Minute)
		s.run(start, nil)
		if !slices.Equal(seen, []string{"Stays"}) {
			t.Errorf("refreshed %t: registered are %v; want the one whose interest is there", refreshed, seen)
		}
	}
}

// After a move by hand, follow-ups count from when the move was noticed, also when the planning of
// follow-ups noticed the move.
func TestFollowUpsAfterAMoveByHand(t *testing.T) {
	s := newStage(t)
	b := followUps(s, callThem)
	inner := b.plan
	b.plan = func(in activities.PlanInput) opportunity.Plan {
		plan := inner(in)
		if s.record.step.Name != "Opportunity" {
			return plan
		}
		// The rule is for that step, too.
		key := keyOf(in.Entered, "call")
		if !slices.ContainsFunc(in.Done, func(d opportunity.DoneFollowUp) bool { return d.Key == key }) {
			due := in.Entered.Add(callThem.after)
			if due.Before(in.Now) {
				due = in.Now
			}
			plan.FollowUps = append(plan.FollowUps, opportunity.FollowUp{Key: key, Name: "call", Due: due, Number: 1, Of: 1, Action: callThem.action})
		}
		return plan
	}
	s.at(3*time.Hour, func() { s.record.step = steps[1] }) // by hand
	s.at(4*time.Hour, func() { s.update("u", "addInterests", add(1)) })
	s.at(6*time.Hour, func() {
		if got := s.followed(); got != "call 1h0m0s, call 5h0m0s" {
			t.Errorf("followed up: %s; want once in each step, an hour after it was noticed", got)
		}
	})
	s.at(7*time.Hour, func() { s.env.SignalWorkflow("progress", to("Won")) })
	s.run(start, nil)
}

// Follow-ups on a record that was taken over count from the take-over.
func TestFollowUpsOfAnAdoption(t *testing.T) {
	s := newStage(t)
	standing(s)
	followUps(s, callThem)
	s.at(30*time.Minute, func() { s.wantFollowed("") })
	s.at(2*time.Hour, func() { s.wantFollowed("call 1h0m0s") })
	s.win(3 * time.Hour)
	s.run(adoptIt, nil)
}
