package opportunity

import (
	"slices"
	"time"
)

// snooze puts the follow-up off; a follow-up that was put off before gets another time, and a new plan follows, so
// that the run wakes at the right time.
func (s *State) snooze(z Snooze, now time.Time) {
	s.SnoozedFollowUps = slices.DeleteFunc(s.SnoozedFollowUps, func(o SnoozedFollowUp) bool { return o.Key == z.FollowUp })
	s.SnoozedFollowUps = append(s.SnoozedFollowUps, SnoozedFollowUp{Key: z.FollowUp, Until: z.Until.UTC(), Reason: z.Reason})
	s.appendTimeline(now, "a follow-up was put off by an operator until "+z.Until.UTC().Format(time.RFC3339)+": "+z.FollowUp)
	s.requestPlan()
}
