package opportunity

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"
)

// Rules say what the worker's playbook has, so that plans are made only when there is
// something to plan. The zero value belongs to a worker without a playbook.
type Rules struct {
	// Version is the number of the version of the namespace's playbook; 0 when the
	// namespace has none.
	Version int `json:"version,omitempty"`
	// Digest identifies the playbook; "" is a worker without a playbook.
	Digest string `json:"digest,omitempty"`
	// Moves, Happenings and FollowUps say that the playbook has rules of that kind.
	Moves      bool `json:"moves,omitempty"`
	Happenings bool `json:"happenings,omitempty"`
	FollowUps  bool `json:"followUps,omitempty"`
	// At are the steps in which the playbook has follow-ups; "" means every step, as workers
	// did before they named them.
	At StepPatterns `json:"at,omitempty"`
	// Learners says that the playbook may register learners or make contacts of them.
	Learners bool `json:"learners,omitempty"`
	// Quiet is how long no command may have ended before the follow-ups get a new plan,
	// in nanoseconds. 0 plans at once, as workers did before this setting.
	Quiet time.Duration `json:"quiet,omitempty"`
	// Spread is the part of a day, in nanoseconds, over which daily reads are spread. It
	// spreads the reads of opportunities that were read in the same moment. 0 spreads
	// nothing, as workers did before this setting.
	Spread time.Duration `json:"spread,omitempty"`
}

// watches reports whether the record is read from time to time.
func (r Rules) watches() bool { return r.Happenings || r.FollowUps }

// Ruled stores the rules of the playbook of the worker that answered last. With another
// playbook, everything is planned again. A version lower than the version that was seen
// does not count.
func (s *State) Ruled(rules *Rules, now time.Time) {
	var has Rules
	if rules != nil {
		has = *rules
	}
	if has.Version < s.Rules.Version {
		return
	}
	s.Rules.Version = has.Version // a version with the same rules changes nothing
	if has == s.Rules {
		return
	}
	s.Renewed = s.Renewed || s.Rules.Digest != "" && has.Digest != s.Rules.Digest
	s.Rules = has
	s.planSoon(s.isWatched(), has.Quiet, now)
	if !has.watches() {
		s.Unasked(PlanRequest)
	}
	s.forgetFollowUps()
}

// forgetFollowUps drops the follow-ups of another step, or of another playbook, when the
// current step has none.
func (s *State) forgetFollowUps() {
	if !s.Rules.followsUp(s.Step) {
		s.FollowUps, s.LeftOut = nil, nil
	}
}

// replan makes a new plan of the follow-ups due at once.
func (s *State) replan() {
	s.planNow(s.isWatched())
	s.forgetFollowUps()
}

// followsUp reports whether the playbook has follow-ups in the step.
func (r Rules) followsUp(step Step) bool { return r.FollowUps && r.At.Has(step) }

// isWatched reports whether the playbook has rules that need reads of the record in its
// current step.
func (s *State) isWatched() bool {
	switch {
	case s.ID == "" || !s.Rules.watches():
		return false
	case s.Rules.At == "":
		return true
	}
	return s.Rules.followsUp(s.Step) || s.Rules.Happenings && s.mayBeAffected()
}

// mayBeAffected reports whether something outside Oppflow can happen to the opportunity that
// a rule is about: an event of its interests changes, or its places lapse. An interest whose
// kind is not known may be one in an event.
func (s *State) mayBeAffected() bool {
	return s.Lapsed || s.Reservation.Valid || slices.ContainsFunc(s.Interests, func(i Held) bool { return i.Kind == Event || i.Kind == "" })
}

// PlanRequest is the request id in attention and waits about planning, for which no
// caller waits.
const PlanRequest = "plan"

// PlansNow reports whether the follow-ups get a new plan now, when there is no other
// work.
func (s *State) PlansNow(now time.Time) bool {
	return s.mayAct() && s.Rules.watches() &&
		(s.PlanDue && !s.planAt().After(now) || !s.watchAt().IsZero() && !s.watchAt().After(now))
}

// longestStir is the longest delay of a plan, as a multiple of the quiet time.
const longestStir = 6

// planAt returns the time of the plan that is due; zero is at once. Commands that come
// one after the other have one plan. A follow-up that is due earlier reads the record
// itself, which makes that plan. A run that may end does not wait for more.
func (s *State) planAt() time.Time {
	if s.PlanSince.IsZero() || s.Step.Stage.State.Ends() {
		return time.Time{}
	}
	return earliest(s.PlanLast.Add(s.Rules.Quiet), s.PlanSince.Add(longestStir*s.Rules.Quiet))
}

// watchEvery is how often the record and the events of its interests are read when there
// is no other reason to read them.
const watchEvery = 24 * time.Hour

// watchAfter returns the time between two reads of the record: a day, less the record's
// own part of the spread.
func (s *State) watchAfter() time.Duration { return watchEvery - ownPart(s.ID, s.Rules.Spread) }

// ownPart returns the record's own part of a spread. It is always the same, and the parts of
// many records are even.
func ownPart(id ID, spread time.Duration) time.Duration {
	sum := sha256.Sum256([]byte(id))
	return time.Duration(float64(spread) * float64(binary.BigEndian.Uint32(sum[:])) / (1 << 32))
}

// watchAt returns the time of the next read of the record. It is when the held places
// lapse, and once a day while an event may be cancelled.
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
