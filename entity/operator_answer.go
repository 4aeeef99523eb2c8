package entity

import (
	"fmt"
	"slices"
	"time"

	"github.com/oppflow/oppflow/entity/queue"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// updateQuestion raises the question about the record, or otherwise the question about the first
// command in doubt. updateQuestion removes the question when nothing is in doubt.
func (s *State) updateQuestion(now time.Time) {
	if s.TaggedByOther {
		s.raiseRecordQuestion(now)
		return
	}
	at := slices.IndexFunc(s.Queue, func(e queue.Command) bool { return e.InDoubt })
	if at < 0 {
		s.Question = nil
		s.ClearAttention(opportunity.AttentionUndecided)
		return
	}
	e := s.Queue[at]
	if s.Question != nil && s.Question.Request == e.Request {
		return
	}
	s.ClearAttention(opportunity.AttentionUndecided)
	s.Question = &opportunity.Question{
		Request: e.Request, MessageName: e.MessageName, Since: now,
		Text: fmt.Sprintf("was %q carried out? Oppflow cannot decide this from the record. "+
			"Check the record in the TMS. Then answer confirm (the request was carried out), retry (the request was not carried out) or skip (continue without the request).", e.Summary()),
	}
	s.RaiseAttention(opportunity.AttentionUndecided, e.Request, s.Question.Text, now)
	s.appendTimeline(now, "a question waits for an operator: "+e.Summary())
}

// retry handles the message retry, with which an operator says that the change was not made. The
// request is sent again. A parked request is sent again before all queued commands.
func (s *State) retry(answer opportunity.Retry, now time.Time) {
	if s.isCreateQuestion(answer.Request) {
		s.resolveCreateQuestion("an operator answered retry: create the record", now)
		s.CreateAnyway = true
		return
	}
	if s.isRecordQuestion(answer.Request) {
		s.answerRecordQuestion(opportunity.MessageRetry, "", now)
		return
	}
	if e, parked := s.unpark(answer.Request); parked {
		s.Queue = slices.Insert(s.Queue, 0, e)
		s.appendTimeline(now, "an operator answered retry: "+e.Summary())
		return
	}
	if s.asksAboutPeople(answer.Request) {
		s.decideAboutPeople(exchange.DecisionOtherPerson, now)
		return
	}
	if s.isEffectActive(answer.Request) {
		s.retryEffect(answer.Request, now)
		return
	}
	at, err := s.findInDoubt(answer.Request)
	if err != nil {
		return // cannot happen: checkOperatorCommand has checked the request
	}
	s.Queue[at].InDoubt = false
	s.appendTimeline(now, "an operator answered retry: "+s.Queue[at].Summary())
	s.updateQuestion(now)
}

// skip handles the message skip, with which an operator drops the request. The dropped request
// fails with the error type Skipped and the operator's reason.
func (s *State) skip(answer opportunity.Skip, now time.Time) {
	if s.isCreateQuestion(answer.Request) {
		s.resolveCreateQuestion("an operator answered skip: do not create the record", now)
		s.CreateSkipped = &opportunity.Error{Type: opportunity.Skipped, Message: answer.Reason}
		return
	}
	if s.isRecordQuestion(answer.Request) {
		s.answerRecordQuestion(opportunity.MessageSkip, answer.Reason, now)
		return
	}
	if s.asksAboutPeople(answer.Request) {
		s.leaveOutPeople(answer.Reason, now)
		return
	}
	if s.isEffectActive(answer.Request) {
		s.skipEffect(answer.Request, answer.Reason, now)
		return
	}
	if s.isNotice(answer.Request) {
		s.acknowledge(opportunity.Acknowledge{Request: answer.Request}, now)
		return
	}
	skipped, parked := s.unpark(answer.Request)
	if !parked {
		at, err := s.findInDoubt(answer.Request)
		if err != nil {
			return // cannot happen: checkOperatorCommand has checked the request
		}
		skipped = s.Queue[at]
		s.Queue = slices.Delete(s.Queue, at, at+1)
	}
	s.appendTimeline(now, "an operator answered skip: "+skipped.Summary())
	skipped.NoWaiter = false // the operator who skips the request knows of the failure
	if parked && answer.UndoEffects {
		s.endTransition(skipped.Request, &opportunity.Error{Type: opportunity.Rejected}, now)
	}
	s.endRequest(skipped, &opportunity.Error{Type: opportunity.Skipped, Message: answer.Reason}, now)
	s.updateQuestion(now)
}

func (s *State) checkInDoubt(request string) error {
	if s.isCreateQuestion(request) || s.isRecordQuestion(request) || s.parkedIndex(request) >= 0 || s.isEffectActive(request) {
		return nil
	}
	_, err := s.findInDoubt(request)
	return err
}

// isNotice reports whether the attention about the request only informs an operator and needs no
// decision.
func (s *State) isNotice(request string) bool {
	return slices.ContainsFunc(s.Attention, func(a opportunity.Attention) bool {
		return a.Request == request && a.Kind != opportunity.AttentionFailed && a.Kind != opportunity.AttentionMessage && s.answersTo(a) == ""
	})
}

// answersTo returns how the attention ends, or "" if an operator can only acknowledge it.
func (s *State) answersTo(a opportunity.Attention) string {
	switch a.Kind {
	case opportunity.AttentionFailed, opportunity.AttentionMessage, opportunity.AttentionFollowUp, opportunity.AttentionPlaybook:
		return ""
	case opportunity.AttentionEffect:
		if s.activeEffect(a.Request) == nil {
			return ""
		}
		return "answer confirm, retry or skip"
	case opportunity.AttentionReservation:
		if s.isPlacesAttention(a) {
			return ""
		}
	case opportunity.AttentionUndecided, opportunity.AttentionParked, opportunity.AttentionService:
		return "answer confirm, retry or skip"
	case opportunity.AttentionPaused:
		return "send resume"
	}
	return "the attention ends by itself when its cause ends"
}

func (s *State) checkAcknowledge(c opportunity.Acknowledge) error {
	answer, found := "", false
	for _, a := range s.Attention {
		if a.Request != c.Request || c.Kind != "" && string(a.Kind) != c.Kind {
			continue
		}
		if found, answer = true, s.answersTo(a); answer == "" {
			return nil
		}
	}
	if !found {
		return opportunity.Failf(opportunity.NotFound, "there is no attention about %q; the view lists the attention entries with their requests", opportunity.Truncate(c.Request, 60))
	}
	return opportunity.Invalidf("request: the attention about %q cannot be acknowledged; %s", opportunity.Truncate(c.Request, 60), answer)
}

// acknowledge removes the attention about the request that an operator can only acknowledge.
func (s *State) acknowledge(c opportunity.Acknowledge, now time.Time) {
	s.Attention = slices.DeleteFunc(s.Attention, func(a opportunity.Attention) bool {
		return a.Request == c.Request && (c.Kind == "" || string(a.Kind) == c.Kind) && s.answersTo(a) == ""
	})
	s.appendTimeline(now, "an operator acknowledged the attention about: "+opportunity.Truncate(c.Request, 60))
}

func (s *Inbox) findInDoubt(request string) (int, error) {
	at := slices.IndexFunc(s.Queue, func(e queue.Command) bool { return e.Request == request && e.InDoubt })
	if at < 0 {
		return 0, opportunity.Failf(opportunity.NotFound, "there is no open question about request %q", opportunity.Truncate(request, 60))
	}
	return at, nil
}
