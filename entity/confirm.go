package entity

import (
	"time"

	"github.com/oppflow/oppflow/entity/queue"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func (s *State) checkConfirm(c opportunity.Confirm) error {
	switch asks := s.isCreateQuestion(c.Request); {
	case asks && c.Opportunity == "":
		return opportunity.Invalidf("opportunity: missing; give the id of the record that was created")
	case !asks && c.Opportunity != "":
		return opportunity.Invalidf("opportunity: only a question about the creation of the record needs this id; leave the id out")
	}
	return s.checkInDoubt(c.Request)
}

// confirm handles the message confirm, with which an operator says that a change was made. If the
// question was about the creation of the record, Oppflow adopts the record that the operator named.
// If the question was about another change, Oppflow reads the record again.
func (s *State) confirm(c opportunity.Confirm, now time.Time) {
	if s.isCreateQuestion(c.Request) {
		s.resolveCreateQuestion("an operator answered confirm: the record was created", now)
		s.Start.Adopt = c.Opportunity
		return
	}
	if s.isRecordQuestion(c.Request) {
		s.answerRecordQuestion(opportunity.MessageConfirm, "", now)
		return
	}
	if s.asksAboutPeople(c.Request) {
		s.decideAboutPeople(exchange.DecisionSamePerson, now)
		return
	}
	s.RefreshDue = true
	if j := s.activeEffect(c.Request); j != nil && s.isEffectActive(c.Request) {
		s.appendTimeline(now, "an operator answered confirm: "+string(j.Effect.Kind))
		s.clearEffectAttention(c.Request)
		j.Attempted, j.MayHaveApplied, j.Problem, j.NotBefore = true, true, "", time.Time{}
		s.completeEffect(j, now)
		return
	}
	e, parked := s.unpark(c.Request)
	if !parked {
		at, err := s.findInDoubt(c.Request)
		if err != nil {
			return // cannot happen: checkOperatorCommand has checked the request
		}
		e = s.Queue[at]
		s.Queue = append(s.Queue[:at:at], s.Queue[at+1:]...)
	}
	s.appendTimeline(now, "an operator answered confirm: "+e.Summary())
	if e.MessageName == opportunity.MessageProgress {
		s.endTransition(e.Request, nil, now)
	}
	s.dispatchRequestEnd(confirmedEnd(e, now))
	s.updateQuestion(now)
}

// When only the operator says that an interest was added, the result has no id of the interest,
// because only the record shows the id.
func confirmedEnd(e queue.Command, now time.Time) requestEnd {
	ended := requestEnd{command: e, outcome: opportunity.Outcome{RequestID: e.Request, State: opportunity.Done}, at: now, confirmed: true}
	c, err := e.Decode()
	add, ok := c.(opportunity.AddInterests)
	if err != nil || !ok {
		return ended
	}
	if e.Results == nil {
		e.Results = make([]opportunity.InterestResult, len(add.Interests))
	}
	for i := range e.Results {
		if !e.Results[i].IsFinal() {
			e.Results[i] = opportunity.InterestResult{Item: add.Interests[i].Item}
			ended.needsExpiry = ended.needsExpiry || !e.LaterExpirySet && add.Interests[i].Reserve
		}
	}
	ended.outcome.Results = e.Results
	return ended
}
