package entity

import (
	"github.com/oppflow/oppflow/opportunity"
)

// SetWait stores the wait. If a wait is stored already, SetWait replaces this wait and keeps the
// time at which the earlier wait began. SetWait reports whether the kind of the wait differs from
// the kind of the earlier wait.
func (s *OperatorState) SetWait(w opportunity.WaitInfo) bool {
	w.Reason = opportunity.Truncate(w.Reason, opportunity.MaxErrorMessage)
	fresh := s.Wait == nil || s.Wait.Kind != w.Kind
	if s.Wait != nil {
		w.Since = s.Wait.Since
		if fresh { // the view shows one cause at a time
			s.clearOutageAttention(s.Wait.Request)
		}
	}
	s.Wait = &w
	return fresh
}

// EndWait removes the wait after the API responded to the request. EndWait keeps a wait of the kind
// AttentionOperation that is about another request. EndWait reports whether a wait has ended.
func (s *OperatorState) EndWait(request string) bool {
	s.clearAttentionFor(opportunity.AttentionOperation, request)
	if s.Wait == nil || s.Wait.Kind == opportunity.AttentionOperation && s.Wait.Request != request {
		return false
	}
	s.Wait = nil
	s.clearOutageAttention(request)
	return true
}

// CancelWait removes the wait when the request will not be sent any more.
func (s *OperatorState) CancelWait(request string) {
	s.clearAttentionFor(opportunity.AttentionOperation, request)
	if s.Wait != nil && request != "" && s.Wait.Request == request {
		s.Wait = nil
	}
}

// clearOutageAttention removes the attention that was raised while the API did not respond to the
// request.
func (s *OperatorState) clearOutageAttention(request string) {
	s.clearAttentionFor(opportunity.AttentionOperation, request)
	for _, word := range []opportunity.AttentionKind{opportunity.AttentionAPI, opportunity.AttentionCredentials, opportunity.AttentionClock, opportunity.AttentionLimit} {
		s.ClearAttention(word)
	}
}
