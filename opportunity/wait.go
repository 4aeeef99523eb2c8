package opportunity

import "time"

// Wait is what everything waits for that is to be sent.
type Wait struct {
	// Word is the attention that is raised when the wait lasts.
	Word Word `json:"word"`
	// Reason says in one line what is waited for. It names no person.
	Reason string `json:"reason"`
	// Request is what alone the API fails at, "" when everything waits.
	Request string `json:"request,omitempty"`
	// Since is when the wait began, in UTC. Until is when it ends by itself; zero when
	// nobody knows.
	Since time.Time `json:"since"`
	Until time.Time `json:"until,omitzero"`
}

// WaitFor sets the reason of a wait as it begins, or as more is known of it. It
// reports whether the kind of the wait is new.
func (s *OperatorState) WaitFor(w Wait) bool {
	w.Reason = clip(w.Reason, MaxKeptMessage)
	fresh := s.Waits == nil || s.Waits.Word != w.Word
	if s.Waits != nil {
		w.Since = s.Waits.Since
		if fresh { // one cause at a time
			s.calmOutages(s.Waits.Request)
		}
	}
	s.Waits = &w
	return fresh
}

// Answered takes in that the API answered the request. What the API fails at alone
// goes on waiting, unless it is that request. Answered reports whether a wait is over.
func (s *OperatorState) Answered(request string) bool {
	s.calmAbout(AttentionOperation, request)
	if s.Waits == nil || s.Waits.Word == AttentionOperation && s.Waits.Request != request {
		return false
	}
	s.Waits = nil
	s.calmOutages(request)
	return true
}

// Unasked takes in that the API is not asked the request any more: nothing waits for
// that alone.
func (s *OperatorState) Unasked(request string) {
	s.calmAbout(AttentionOperation, request)
	if s.Waits != nil && request != "" && s.Waits.Request == request {
		s.Waits = nil
	}
}

// calmOutages takes back what was raised since the API did not answer the request.
func (s *OperatorState) calmOutages(request string) {
	s.calmAbout(AttentionOperation, request)
	for _, word := range []Word{AttentionAPI, AttentionCredentials, AttentionClock, AttentionLimit} {
		s.Calm(word)
	}
}
