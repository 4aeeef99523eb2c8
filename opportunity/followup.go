package opportunity

import (
	"strings"
	"time"
)

// SnoozedFollowUp is a planned follow-up that an operator put off.
type SnoozedFollowUp struct {
	Key    string    `json:"key"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason,omitempty"`
}

// FollowedUp stores that the follow-up of the key was done, and no later plan makes
// it due again.
func (s *State) FollowedUp(key string, now time.Time) {
	if s.endFollowUp(DoneFollowUp{Key: key, At: now}) {
		s.note(now, "followed up: "+key)
	}
	if len(s.FollowUps) == 0 && s.FollowUpsCut {
		s.replan()
	}
}

// course returns the common part of the keys of a follow-up and its repetitions.
func (f FollowUp) course() string {
	return f.Key[:strings.LastIndexByte(f.Key, '/')+1] + f.Name
}
