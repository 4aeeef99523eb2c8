package entity_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

const (
	firstEffect  = "1/win/after/1/contacts"
	secondEffect = "2/moved/do/1/register"
)

func office(first string) exchange.Attendee {
	return exchange.Attendee{Interest: "I", Event: event, Person: &opportunity.Learner{FirstName: first, LastName: "Office", Email: "office@clinic.example"}}
}

// askedState returns a state in which two effects wait for the answer about the second of three
// attendees.
func askedState(t *testing.T) *entity.State {
	t.Helper()
	s := openedState(t)
	s.SetPlaybook(&exchange.PlaybookFeatures{Digest: "d", Transitions: true, Reactions: true, Learners: true}, noon)
	s.Attendees = []exchange.Attendee{office("Dan"), office("Eva"), office("Fay")}
	s.ApplyReactionPlan(exchange.Plan{After: []exchange.Effect{{Key: "win/after/1/contacts", Kind: opportunity.EffectContacts}}}, noon)
	s.ApplyReactionPlan(exchange.Plan{After: []exchange.Effect{{Key: "moved/do/1/register", Kind: opportunity.EffectRegister}}}, noon)
	doubt := entity.Inspection{
		Error: opportunity.Failf(opportunity.Conflict, "attendee 2 has the e-mail address of a contact"), PeopleInDoubt: []int{1},
		Contacts: []opportunity.ID{"dan", "", ""},
	}
	s.ApplyInspection(firstEffect, doubt, noon)
	s.ApplyInspection(secondEffect, doubt, noon)
	return s
}

func TestOneQuestionAboutPeopleForEachOrder(t *testing.T) {
	s := askedState(t)
	if len(s.Attention) != 1 || s.Attention[0].Request != firstEffect {
		t.Fatalf("attention %+v", s.Attention)
	}
	for _, words := range []string{"attendee 2", "confirm (the same person", "retry (another person", "skip (leave the person out)"} {
		if !strings.Contains(s.Attention[0].Reason, words) {
			t.Errorf("the question does not say %q: %s", words, s.Attention[0].Reason)
		}
	}
	v := s.View()
	if !v.RunningEffects[0].AsksPeople || !v.RunningEffects[1].AsksPeople || !strings.Contains(v.RunningEffects[1].Problem, firstEffect) {
		t.Errorf("effects %+v", v.RunningEffects)
	}
	if _, due := s.DueEffect(noon); due {
		t.Error("an effect that asks is due")
	}
}

func TestAnswersAboutPeople(t *testing.T) {
	dan := exchange.Attendee{Interest: "I", Event: event, Contact: "dan"}
	decided := func(first string, decision exchange.ContactDecision) exchange.Attendee {
		a := office(first)
		a.SameAsContact = decision
		return a
	}
	for name, row := range map[string]struct {
		answer opportunity.OperatorCommand
		want   []exchange.Attendee
		note   string
	}{
		"the same person": {opportunity.Confirm{Request: firstEffect}, []exchange.Attendee{
			dan, decided("Eva", exchange.DecisionSamePerson), decided("Fay", exchange.DecisionSamePerson),
		}, ""},
		"another person": {opportunity.Retry{Request: firstEffect}, []exchange.Attendee{
			dan, decided("Eva", exchange.DecisionOtherPerson), decided("Fay", exchange.DecisionOtherPerson),
		}, ""},
		"left out": {opportunity.Skip{Request: firstEffect, Reason: "a mistake"}, []exchange.Attendee{
			dan, {Interest: "I", Event: event}, office("Fay"),
		}, "an operator excluded 1 attendee from the effects: a mistake"},
		"to the effect that waits": {opportunity.Retry{Request: secondEffect}, []exchange.Attendee{
			dan, decided("Eva", exchange.DecisionOtherPerson), decided("Fay", exchange.DecisionOtherPerson),
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := continued(t, askedState(t))
			if err := execute(s, row.answer); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, s.Attendees); diff != "" {
				t.Error(diff)
			}
			if len(s.Attention) > 0 {
				t.Errorf("attention %+v", s.Attention)
			}
			for _, key := range []string{firstEffect, secondEffect} {
				due, is := s.DueEffect(noon)
				if !is || due.Effect.Key != key || due.AsksPeople {
					t.Fatalf("due is %+v, want %s", due, key)
				}
				s.ApplyInspection(key, entity.Inspection{UndoEntry: due.UndoEntry}, noon)
			}
			for _, result := range s.EffectResults {
				if result.Reason != row.note {
					t.Errorf("result %+v, want the reason %q", result, row.note)
				}
			}
		})
	}
}

// If an effect before a transition raises a question about people, the question blocks the
// transition. When the transition ends for another reason, the question about people ends, too.
func TestQuestionAboutPeopleBeforeATransition(t *testing.T) {
	s := openedState(t)
	s.SetPlaybook(&exchange.PlaybookFeatures{Digest: "d", Transitions: true, Learners: true}, noon)
	s.Attendees = []exchange.Attendee{office("Dan"), office("Eva")}
	accept(t, s, opportunity.Progress{To: "Won"}, "won")
	s.ApplyTransitionPlan("won", exchange.Plan{Before: []exchange.Effect{{Key: "win/before/1/contacts", Kind: opportunity.EffectContacts}}}, false, noon)
	const key = "1/win/before/1/contacts"
	s.ApplyInspection(key, entity.Inspection{
		Error: opportunity.Failf(opportunity.Conflict, "attendee 2 has the e-mail address of a contact"), PeopleInDoubt: []int{1},
	}, noon)
	if len(s.Queue) != 1 || s.HasBatch() || len(s.Attention) != 1 {
		t.Fatalf("%d requests wait, a batch waits: %v, attention %+v", len(s.Queue), s.HasBatch(), s.Attention)
	}
	other := continued(t, s)
	if err := execute(s, opportunity.Retry{Request: key}); err != nil {
		t.Fatal(err)
	}
	s.ApplyInspection(key, entity.Inspection{}, noon)
	if !s.HasBatch() || len(s.Attention) > 0 {
		t.Errorf("a batch waits: %v, attention %+v", s.HasBatch(), s.Attention)
	}
	other.FailAll(opportunity.Failf(opportunity.Closed, "over"), noon)
	for _, a := range other.Attention {
		if a.Kind == opportunity.AttentionEffect {
			t.Errorf("attention %+v", a)
		}
	}
}

func TestOverbookedEventIsAttention(t *testing.T) {
	s := openedState(t)
	s.SetPlaybook(&exchange.PlaybookFeatures{Digest: "d", Reactions: true, Learners: true}, noon)
	s.ApplyReactionPlan(exchange.Plan{After: []exchange.Effect{{Key: "win/after/1/register", Kind: opportunity.EffectRegister}}}, noon)
	s.ApplyInspection("1/win/after/1/register", entity.Inspection{Overbooked: []exchange.OverbookedEvent{{Event: event, Title: "First Aid", By: 2}}}, noon)
	want := "the event First Aid (" + string(event) + ") is overbooked by 2; free some of the places on the event, or move learners to another event"
	if len(s.Attention) != 1 || s.Attention[0].Reason != want {
		t.Fatalf("attention %+v", s.Attention)
	}
	seen := continued(t, s)
	if err := execute(seen, opportunity.Skip{Request: string(event), Reason: "seen"}); err != nil || len(seen.Attention) > 0 {
		t.Errorf("%v, attention %+v", err, seen.Attention)
	}
	s.ClearOverbooked(event)
	if len(s.Attention) > 0 {
		t.Errorf("attention %+v", s.Attention)
	}
}
