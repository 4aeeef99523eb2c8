package opportunity

import (
	"time"
)

// SnoozedFollowUp is a planned follow-up that an operator put off.
type SnoozedFollowUp struct {
	Key    string    `json:"key"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason,omitempty"`
}

// CompleteFollowUp stores that the follow-up of the key was done, and no later plan makes
// it due again.
func (s *State) CompleteFollowUp(key string, now time.Time) {
	if s.endFollowUp(DoneFollowUp{Key: key, At: now}) {
		s.appendTimeline(now, "followed up: "+key)
	}
	if len(s.FollowUps) == 0 && s.FollowUpsTruncated {
		s.requestPlan()
	}
}
