package entity

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// pause stops the opportunity. A pause of an already paused opportunity only replaces the reason.
func (s *State) pause(p opportunity.Pause, now time.Time) {
	if s.Paused == nil {
		s.Paused = &opportunity.PauseInfo{Since: now}
		s.appendTimeline(now, "an operator paused the opportunity")
	}
	s.Paused.Reason = p.Reason
	s.RaiseAttention(opportunity.AttentionPaused, "", pauseReason(*s.Paused), now)
}

// otherReferenceTag is the reason of a pause that no operator requested.
const otherReferenceTag = "the record has the reference tag of another reference"

// PauseForOtherReference pauses the opportunity, because its record has the reference tag of
// another opportunity.
func (s *State) PauseForOtherReference(now time.Time) {
	if s.Paused != nil {
		return
	}
	s.Paused = &opportunity.PauseInfo{Reason: otherReferenceTag, Since: now}
	s.appendTimeline(now, "paused: "+otherReferenceTag)
	s.RaiseAttention(opportunity.AttentionPaused, "", pauseReason(*s.Paused), now)
}

func (s *State) resume(now time.Time) {
	if s.Paused == nil {
		return
	}
	s.Paused = nil
	s.ClearAttention(opportunity.AttentionPaused)
	s.appendTimeline(now, "an operator resumed the opportunity")
}

// EndPause removes the pause when the run ends, because the last work of a run must not wait for an
// operator.
func (s *State) EndPause() {
	s.Paused = nil
	s.ClearAttention(opportunity.AttentionPaused)
}

func pauseReason(p opportunity.PauseInfo) string {
	switch p.Reason {
	case otherReferenceTag:
		return otherReferenceTag + "; Oppflow sends nothing until an operator sends resume; check to which reference the record belongs, and check the tenant of the worker"
	case "":
		return "an operator paused the opportunity; signals wait until an operator sends resume"
	}
	return "an operator paused the opportunity (" + p.Reason + "); signals wait until an operator sends resume"
}
