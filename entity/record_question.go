package entity

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// AskAboutRecord asks an operator whether the record belongs to this opportunity, because a read
// found the reference tag of another reference on the record. After the answer confirm, reads no
// longer raise this question. AskAboutRecord reports whether the question waits for an answer.
func (s *State) AskAboutRecord(now time.Time) bool {
	if s.TagConfirmed {
		return false
	}
	s.TaggedByOther = true
	s.updateQuestion(now)
	return true
}

// EndRecordQuestion removes the question, because the record has no reference tag of another
// reference any more.
func (s *State) EndRecordQuestion(now time.Time) {
	s.TagConfirmed = false
	s.resolveRecordQuestion("the record no longer has the reference tag of another reference", now)
}

func (s *State) resolveRecordQuestion(text string, now time.Time) {
	if s.TaggedByOther {
		s.TaggedByOther = false
		s.appendTimeline(now, text)
		s.updateQuestion(now)
	}
}

// DropRecordQuestion removes the question when the run ends, because an ended run takes no answer.
func (s *State) DropRecordQuestion() {
	if s.TaggedByOther {
		s.Question = nil
		s.ClearAttention(opportunity.AttentionUndecided)
	}
}

func (s *State) raiseRecordQuestion(now time.Time) {
	if s.isRecordQuestion(opportunity.RecordRequestID) {
		return
	}
	s.ClearAttention(opportunity.AttentionUndecided)
	s.Question = &opportunity.Question{
		Request: opportunity.RecordRequestID, MessageName: opportunity.MessageRefresh, Since: now,
		Text: "does the record " + string(s.ID) + " belong to this opportunity? " + otherReferenceTag + ". Oppflow sends nothing. " +
			"Check the record and the tenant of the worker. Then answer confirm (the record belongs to this opportunity), retry (the tag is corrected: read the record again) or skip (end this run and do not change the record).",
	}
	s.RaiseAttention(opportunity.AttentionUndecided, opportunity.RecordRequestID, s.Question.Text, now)
	s.appendTimeline(now, "a question waits for an operator: "+otherReferenceTag)
}

func (s *State) isRecordQuestion(request string) bool {
	return request == opportunity.RecordRequestID && s.Question != nil && s.Question.Request == request
}

// The answer skip ends the run like the message close. While TaggedByOther is set, the end of the
// run changes nothing in the TMS.
func (s *State) answerRecordQuestion(answer opportunity.MessageName, reason string, now time.Time) {
	switch answer {
	case opportunity.MessageConfirm:
		s.TagConfirmed = true
		s.resolveRecordQuestion("an operator answered confirm: the record belongs to this opportunity", now)
	case opportunity.MessageRetry:
		s.RefreshDue = true
		s.appendTimeline(now, "an operator answered retry: the record is read again")
	case opportunity.MessageSkip:
		s.appendTimeline(now, "an operator answered skip: the record is not changed")
		s.startClosing(opportunity.Close{Reason: reason}, now)
	}
}
