package opportunity

import "time"

// Rules tells what the worker's playbook has, so that plans are asked for only
// where there is something to plan. Its zero value is that of a worker without one.
type Rules struct {
	// Digest tells the playbook from others; "" is that of a worker without one.
	Digest string `json:"digest,omitempty"`
	// Moves, Happenings and FollowUps say that it has rules of that kind.
	Moves      bool `json:"moves,omitempty"`
	Happenings bool `json:"happenings,omitempty"`
	FollowUps  bool `json:"followUps,omitempty"`
	// Learners says that it may register learners or make contacts of them.
	Learners bool `json:"learners,omitempty"`
}

// watches reports whether the record is to be looked at from time to time.
func (r Rules) watches() bool { return r.Happenings || r.FollowUps }

// Ruled takes in which playbook the worker has that answered last: with another
// one, everything is planned again.
func (s *State) Ruled(rules *Rules) {
	var now Rules
	if rules != nil {
		now = *rules
	}
	if now == s.Rules {
		return
	}
	s.Renewed = s.Renewed || s.Rules.Digest != "" && now.Digest != s.Rules.Digest
	s.Rules = now
	s.replan()
	if !now.watches() {
		s.Unasked(PlanRequest)
	}
	if !now.FollowUps {
		s.FollowUps, s.LeftOut = nil, nil
	}
}

// replan has the follow-ups planned again.
func (s *State) replan() { s.PlanDue = s.isWatched() }

// isWatched reports whether the playbook has rules for which the record is looked at.
func (s *State) isWatched() bool { return s.ID != "" && s.Rules.watches() }

// PlanRequest is what attention and waits go by that are about planning, which nobody
// waits for.
const PlanRequest = "plan"

// PlansNow reports whether the follow-ups are to be planned: when nothing else is
// to be done.
func (s *State) PlansNow(now time.Time) bool {
	return s.ID != "" && s.Question == nil && s.Paused == nil && s.Rules.watches() &&
		(s.PlanDue || !s.watchAt().IsZero() && !s.watchAt().After(now))
}

// watchEvery is how often the record and the events of its interests are looked at
// where nothing else gives a reason to.
const watchEvery = 24 * time.Hour

// watchAt is when the record is to be looked at again: when the places that are
// held lapse, and once a day while an event may be cancelled.
func (s *State) watchAt() time.Time {
	if s.ID == "" || !s.Rules.watches() || s.PlannedAt.IsZero() {
		return time.Time{}
	}
	var at time.Time
	if s.Rules.Happenings && !s.Step.Stage.State.Ends() {
		for _, held := range s.Interests {
			if held.Kind == Event {
				at = s.PlannedAt.Add(watchEvery)
				break
			}
		}
	}
	if lapse := s.Reservation.Until; s.Reservation.Valid && lapse.After(s.PlannedAt) && (at.IsZero() || lapse.Before(at)) {
		at = lapse
	}
	return at
}
