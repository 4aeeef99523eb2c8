package opportunity

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"
)

// PlaybookFeatures say what the worker's playbook has, so that plans are made only when there is
// something to plan. The zero value belongs to a worker without a playbook.
type PlaybookFeatures struct {
	// Version is the number of the version of the namespace's playbook; 0 when the
	// namespace has none.
	Version int `json:"version,omitempty"`
	// Digest identifies the playbook; "" is a worker without a playbook.
	Digest string `json:"digest,omitempty"`
	// Transitions, Happenings and FollowUps say that the playbook has rules of that kind.
	Transitions bool `json:"moves,omitempty"`
	Reactions   bool `json:"happenings,omitempty"`
	FollowUps   bool `json:"followUps,omitempty"`
	// FollowUpSteps are the steps in which the playbook has follow-ups; "" means every step, as workers
	// did before they named them.
	FollowUpSteps StepPatterns `json:"at,omitempty"`
	// Learners says that the playbook may register learners or make contacts of them.
	Learners bool `json:"learners,omitempty"`
	// QuietTime is how long no command may have ended before the follow-ups get a new plan,
	// in nanoseconds. 0 plans at once, as workers did before this setting.
	QuietTime time.Duration `json:"quiet,omitempty"`
	// Spread is the part of a day, in nanoseconds, over which daily reads are spread. It
	// spreads the reads of opportunities that were read in the same moment. 0 spreads
	// nothing, as workers did before this setting.
	Spread time.Duration `json:"spread,omitempty"`
}

// shouldPoll reports whether the record is read from time to time.
func (r PlaybookFeatures) shouldPoll() bool { return r.Reactions || r.FollowUps }

// SetPlaybook stores the rules of the playbook of the worker that answered last. With another
// playbook, everything is planned again. A version lower than the version that was seen
// does not count.
func (s *State) SetPlaybook(rules *PlaybookFeatures, now time.Time) {
	var has PlaybookFeatures
	if rules != nil {
		has = *rules
	}
	if has.Version < s.Playbook.Version {
		return
	}
	s.Playbook.Version = has.Version // a version with the same rules changes nothing
	if has == s.Playbook {
		return
	}
	s.PlaybookChanged = s.PlaybookChanged || s.Playbook.Digest != "" && has.Digest != s.Playbook.Digest
	s.Playbook = has
	s.setPlanDueAfterQuiet(s.shouldPoll(), has.QuietTime, now)
	if !has.shouldPoll() {
		s.CancelWait(PlanRequestID)
	}
	s.dropStaleFollowUps()
}

// dropStaleFollowUps drops the follow-ups of another step, or of another playbook, when the
// current step has none.
func (s *State) dropStaleFollowUps() {
	if !s.Playbook.hasFollowUpsIn(s.Step) {
		s.FollowUps, s.SkippedFollowUps = nil, nil
	}
}

// requestPlan makes a new plan of the follow-ups due at once.
func (s *State) requestPlan() {
	s.setPlanDue(s.shouldPoll())
	s.dropStaleFollowUps()
}

// hasFollowUpsIn reports whether the playbook has follow-ups in the step.
func (r PlaybookFeatures) hasFollowUpsIn(step Step) bool {
	return r.FollowUps && r.FollowUpSteps.Matches(step)
}

// shouldPoll reports whether the playbook has rules that need reads of the record in its
// current step.
func (s *State) shouldPoll() bool {
	switch {
	case s.ID == "" || !s.Playbook.shouldPoll():
		return false
	case s.Playbook.FollowUpSteps == "":
		return true
	}
	return s.Playbook.hasFollowUpsIn(s.Step) || s.Playbook.Reactions && s.canHaveExternalChange()
}

// canHaveExternalChange reports whether something outside Oppflow can happen to the opportunity that
// a rule is about: an event of its interests changes, or its places lapse. An interest whose
// kind is not known may be one in an event.
func (s *State) canHaveExternalChange() bool {
	return s.ReservationExpired || s.Reservation.Valid || slices.ContainsFunc(s.Interests, func(i RecordedInterest) bool { return i.Kind == Event || i.Kind == "" })
}

// PlanRequestID is the request id in attention and waits about planning, for which no
// caller waits.
const PlanRequestID = "plan"

// ShouldPlan reports whether the follow-ups get a new plan now, when there is no other
// work.
func (s *State) ShouldPlan(now time.Time) bool {
	return s.canProceed() && s.Playbook.shouldPoll() &&
		(s.PlanDue && !s.nextPlanAt().After(now) || !s.nextPollAt().IsZero() && !s.nextPollAt().After(now))
}

// maxQuietFactor is the longest delay of a plan, as a multiple of the quiet time.
const maxQuietFactor = 6

// nextPlanAt returns the time of the plan that is due; zero is at once. Commands that come
// one after the other have one plan. A follow-up that is due earlier reads the record
// itself, which makes that plan. A run that may end does not wait for more.
func (s *State) nextPlanAt() time.Time {
	if s.PlanFirstChangeAt.IsZero() || s.Step.Stage.State.IsFinal() {
		return time.Time{}
	}
	return earliest(s.PlanLastChangeAt.Add(s.Playbook.QuietTime), s.PlanFirstChangeAt.Add(maxQuietFactor*s.Playbook.QuietTime))
}

// maxPollInterval is how often the record and the events of its interests are read when there
// is no other reason to read them.
const maxPollInterval = 24 * time.Hour

// pollInterval returns the time between two reads of the record: a day, less the record's
// own part of the spread.
func (s *State) pollInterval() time.Duration {
	return maxPollInterval - spreadOffset(s.ID, s.Playbook.Spread)
}

// spreadOffset returns the record's own part of a spread. It is always the same, and the parts of
// many records are even.
func spreadOffset(id ID, spread time.Duration) time.Duration {
	sum := sha256.Sum256([]byte(id))
	return time.Duration(float64(spread) * float64(binary.BigEndian.Uint32(sum[:])) / (1 << 32))
}

// nextPollAt returns the time of the next read of the record. It is when the held places
// lapse, and once a day while an event may be cancelled.
func (s *State) nextPollAt() time.Time {
	if s.ID == "" || !s.Playbook.shouldPoll() || s.PlannedAt.IsZero() {
		return time.Time{}
	}
	var at time.Time
	if s.Playbook.Reactions && !s.Step.Stage.State.IsFinal() {
		for _, held := range s.Interests {
			if held.Kind == Event {
				at = s.PlannedAt.Add(s.pollInterval())
				break
			}
		}
	}
	if lapse := s.Reservation.Until; s.Reservation.Valid && lapse.After(s.PlannedAt) && (at.IsZero() || lapse.Before(at)) {
		at = lapse
	}
	return at
}
