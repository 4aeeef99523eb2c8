package entity

import (
	"fmt"
	"slices"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// askAboutPeople raises a question about attendees whose e-mail addresses belong to contacts with
// other names. The effect waits for the answer, even if the effect must be done before a
// transition. One question asks about all attendees in doubt. Other effects with attendees in doubt
// wait for the answer to the same question.
func (s *State) askAboutPeople(j *ActiveEffect, found Inspection, now time.Time) {
	for _, i := range found.PeopleInDoubt {
		if i >= 0 && i < len(s.Attendees) && s.Attendees[i].Person != nil {
			s.Attendees[i].InDoubt = true
		}
	}
	asks := slices.IndexFunc(s.ActiveEffects, func(other ActiveEffect) bool { return other.AsksPeople && other.Effect.Key != j.Effect.Key })
	j.AsksPeople = true
	if asks >= 0 {
		j.Problem = fmt.Sprintf("the effect waits for the operator's answer to the question that the effect %s raised", s.ActiveEffects[asks].Effect.Key)
		return
	}
	s.blockEffect(j, found.Error.OperatorText()+
		". Answer confirm (the same person: use the contact), retry (another person: create a new contact) or skip (leave the person out)", now)
}

func (s *EffectState) asksAboutPeople(key string) bool {
	j := s.activeEffect(key)
	return j != nil && j.AsksPeople
}

// decideAboutPeople stores the operator's answer for all attendees without a known contact, so that
// the opportunity raises no second question about people.
func (s *State) decideAboutPeople(decision exchange.ContactDecision, now time.Time) {
	answer := "retry: another person"
	if decision == exchange.DecisionSamePerson {
		answer = "confirm: the same person"
	}
	s.appendTimeline(now, "an operator answered "+answer)
	for i := range s.Attendees {
		if s.Attendees[i].Person != nil {
			s.Attendees[i].SameAsContact = decision
		}
	}
	s.endPeopleQuestion("")
}

// leaveOutPeople excludes the attendees in doubt from the effects, and forgets their names.
func (s *State) leaveOutPeople(reason string, now time.Time) {
	left := 0
	for i := range s.Attendees {
		if a := &s.Attendees[i]; a.InDoubt && a.Person != nil {
			a.Person = nil
			left++
		}
	}
	text := fmt.Sprintf("an operator excluded %d attendees from the effects", left)
	if left == 1 {
		text = "an operator excluded 1 attendee from the effects"
	}
	s.appendTimeline(now, text)
	s.endPeopleQuestion(text + ": " + reason)
}

// endPeopleQuestion makes the effects due that waited for the answer to the question about people.
// The text note becomes part of the results of these effects.
func (s *State) endPeopleQuestion(note string) {
	for i := range s.Attendees {
		s.Attendees[i].InDoubt = false
	}
	for i := range s.ActiveEffects {
		j := &s.ActiveEffects[i]
		if !j.AsksPeople {
			continue
		}
		s.clearEffectAttention(j.Effect.Key)
		j.AsksPeople, j.Problem, j.Errors, j.FailedInspections, j.LastConfirmed, j.NotBefore = false, "", 0, 0, nil, time.Time{}
		j.addNote(note)
	}
}

// addNote adds the text before the existing note of the effect, because a long note is cut at its
// end.
func (j *ActiveEffect) addNote(note string) {
	switch {
	case note == "":
		return
	case j.Note != "":
		note += "; " + j.Note
	}
	j.Note = opportunity.Truncate(note, opportunity.MaxErrorLabel)
}
