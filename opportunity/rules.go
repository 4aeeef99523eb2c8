package opportunity

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Rules tells what the worker's playbook has, so that plans are asked for only
// where there is something to plan. Its zero value is that of a worker without one.
type Rules struct {
	// Version is the number of the version of the namespace's playbook; 0 is that of a
	// namespace without one.
	Version int `json:"version,omitempty"`
	// Digest tells the playbook from others; "" is that of a worker without one.
	Digest string `json:"digest,omitempty"`
	// Moves, Happenings and FollowUps say that it has rules of that kind.
	Moves      bool `json:"moves,omitempty"`
	Happenings bool `json:"happenings,omitempty"`
	FollowUps  bool `json:"followUps,omitempty"`
	// Learners says that it may register learners or make contacts of them.
	Learners bool `json:"learners,omitempty"`
	// Quiet is how long no command has ended before the follow-ups are planned again,
	// in nanoseconds; 0 plans them at once, as workers did before there was a time.
	Quiet time.Duration `json:"quiet,omitempty"`
	// Spread is the part of a day, in nanoseconds, over which the daily looks of the
	// opportunities are spread that were looked at in the same moment; 0 spreads nothing,
	// as workers did before there was one.
	Spread time.Duration `json:"spread,omitempty"`
}

// watches reports whether the record is to be looked at from time to time.
func (r Rules) watches() bool { return r.Happenings || r.FollowUps }

// Ruled takes in which playbook the worker has that answered last: with another
// one, everything is planned again. A version before the one that was seen does not
// count.
func (s *State) Ruled(rules *Rules, now time.Time) {
	var has Rules
	if rules != nil {
		has = *rules
	}
	if has.Version < s.Rules.Version {
		return
	}
	s.Rules.Version = has.Version // a version that says the same changes nothing
	if has == s.Rules {
		return
	}
	s.Renewed = s.Renewed || s.Rules.Digest != "" && has.Digest != s.Rules.Digest
	s.Rules = has
	s.planSoon(s.isWatched(), has.Quiet, now)
	if !has.watches() {
		s.Unasked(PlanRequest)
	}
	if !has.FollowUps {
		s.FollowUps, s.LeftOut = nil, nil
	}
}

// replan has the follow-ups planned again, at once.
func (s *State) replan() { s.planNow(s.isWatched()) }

// isWatched reports whether the playbook has rules for which the record is looked at.
func (s *State) isWatched() bool { return s.ID != "" && s.Rules.watches() }

// PlanRequest is what attention and waits go by that are about planning, which nobody
// waits for.
const PlanRequest = "plan"

// PlansNow reports whether the follow-ups are to be planned: when nothing else is
// to be done.
func (s *State) PlansNow(now time.Time) bool {
	return s.mayAct() && s.Rules.watches() &&
		(s.PlanDue && !s.planAt().After(now) || !s.watchAt().IsZero() && !s.watchAt().After(now))
}

// longestStir is how many times the quiet time a plan is put off at most.
const longestStir = 6

// planAt is when the plan that is due is to be made; zero is at once. Commands that
// come one after the other have one plan. A follow-up that is due before looks at the
// record itself, which makes that plan. A run that may end does not wait for more.
func (s *State) planAt() time.Time {
	if s.PlanSince.IsZero() || s.Step.Stage.State.Ends() {
		return time.Time{}
	}
	return earliest(s.PlanLast.Add(s.Rules.Quiet), s.PlanSince.Add(longestStir*s.Rules.Quiet))
}

// watchEvery is how often the record and the events of its interests are looked at
// where nothing else gives a reason to.
const watchEvery = 24 * time.Hour

// watchAfter returns the time between two looks at the record: a day, less a part of the
// spread that is the record's own.
func (s *State) watchAfter() time.Duration {
	sum := sha256.Sum256([]byte(s.ID))
	return watchEvery - time.Duration(float64(s.Rules.Spread)*float64(binary.BigEndian.Uint32(sum[:]))/(1<<32))
}

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
				at = s.PlannedAt.Add(s.watchAfter())
				break
			}
		}
	}
	if lapse := s.Reservation.Until; s.Reservation.Valid && lapse.After(s.PlannedAt) && (at.IsZero() || lapse.Before(at)) {
		at = lapse
	}
	return at
}
