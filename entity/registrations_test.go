package entity_test

import (
	"testing"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// TestRegistrationsAreRemembered: the state shows which attendees this opportunity registered, so
// that only these registrations are cancelled later.
func TestRegistrationsAreRemembered(t *testing.T) {
	learner := func(place opportunity.ID, created, reverted bool) exchange.UndoEntry {
		return exchange.UndoEntry{Objects: []opportunity.TouchedObject{
			{Kind: opportunity.ObjectLearner, ID: place, Event: event, Contact: "contact", Created: created, Reverted: reverted},
			{Kind: opportunity.ObjectLearner, ID: "elsewhere", Event: "another event", Contact: "contact", Created: true},
		}}
	}
	for _, c := range []struct {
		name   string
		entry  exchange.UndoEntry
		known  opportunity.ID
		place  opportunity.ID
		before bool
	}{
		{"the effect registered the person", learner("p", true, false), "", "p", false},
		{"the person was on the event", learner("p", false, false), "", "", true},
		{"the effect finds its own place again", learner("p", false, false), "p", "p", false},
		{"the place was cancelled", learner("p", true, true), "p", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openedState(t)
			s.Attendees = []exchange.Attendee{{Interest: "a", Event: event, Contact: "contact", Learner: c.known}}
			s.ActiveEffects = []entity.ActiveEffect{{Effect: exchange.Effect{Key: "register", Kind: opportunity.EffectRegister}, Stage: opportunity.EffectStageAfter}}
			s.ApplyInspection("register", entity.Inspection{UndoEntry: c.entry}, noon)
			if got := s.Attendees[0]; got.Learner != c.place || got.RegisteredBefore != c.before {
				t.Errorf("the attendee is %+v", got)
			}
		})
	}
}
