package opportunity

import "time"

func (s *State) Planned(plan Plan, now time.Time) { s.FollowUps = plan.FollowUps }

func (s *State) NextFollowUp() (FollowUp, time.Time, bool) {
	if len(s.FollowUps) == 0 {
		return FollowUp{}, time.Time{}, false
	}
	return s.FollowUps[0], s.FollowUps[0].Due, true
}

func (s *State) FollowedUp(key string, now time.Time) {
	s.Done = append(s.Done, DoneFollowUp{Key: key, At: now})
	s.FollowUps = s.FollowUps[1:]
}

func (s *State) NextAction() time.Time {
	_, due, _ := s.NextFollowUp()
	return due
}
