package opportunity

import "time"

// Wait says why all sending waits.
type Wait struct {
	// Word is the attention that is raised when the wait lasts.
	Word Word `json:"word"`
	// Reason says in one line what the opportunity waits for. It names no person.
	Reason string `json:"reason"`
	// Request is the only request that the API fails at, "" when everything waits.
	Request string `json:"request,omitempty"`
	// Since is when the wait began, in UTC. Until is when it ends by itself; zero when
	// that time is unknown.
	Since time.Time `json:"since"`
	Until time.Time `json:"until,omitzero"`
}

// WaitFor sets the reason of a wait, at its beginning and when more is known. It
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

// Answered handles a response of the API to the request; a wait for one failing
// request goes on, unless this is that request. Answered reports whether a wait is
// over.
func (s *OperatorState) Answered(request string) bool {
	s.calmAbout(AttentionOperation, request)
	if s.Waits == nil || s.Waits.Word == AttentionOperation && s.Waits.Request != request {
		return false
	}
	s.Waits = nil
	s.calmOutages(request)
	return true
}

// Unasked handles a request that is no longer sent: a wait for that request alone
// ends.
func (s *OperatorState) Unasked(request string) {
	s.calmAbout(AttentionOperation, request)
	if s.Waits != nil && request != "" && s.Waits.Request == request {
		s.Waits = nil
	}
}

// calmOutages removes the attention that was raised while the API did not answer the
// request.
func (s *OperatorState) calmOutages(request string) {
	s.calmAbout(AttentionOperation, request)
	for _, word := range []Word{AttentionAPI, AttentionCredentials, AttentionClock, AttentionLimit} {
		s.Calm(word)
	}
}
