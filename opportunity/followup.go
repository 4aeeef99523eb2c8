package opportunity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// SnoozedFollowUp is a planned follow-up that an operator put off.
type SnoozedFollowUp struct {
	Key    string    `json:"key"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason,omitempty"`
}

// Planned takes over the follow-ups of a plan that are not done yet, as many of the
// earliest as are kept; the others come with a later plan. What the plan leaves out
// is shown, and raises nothing.
func (s *State) Planned(plan Plan, now time.Time) {
	planned := slices.DeleteFunc(slices.Clone(plan.FollowUps), func(f FollowUp) bool { return s.isDone(f.Key) })
	s.Snoozed = slices.DeleteFunc(s.Snoozed, func(z SnoozedFollowUp) bool {
		return !z.Until.After(now) || !slices.ContainsFunc(planned, func(f FollowUp) bool { return f.Key == z.Key })
	})
	s.FollowUps = nil
	taken := 0
	for _, t := range s.timed(planned) {
		taken += jsonSize(t.FollowUp)
		if len(s.FollowUps) == MaxFollowUps || len(s.FollowUps) > 0 && taken > MaxFollowUpBytes {
			break
		}
		s.FollowUps = append(s.FollowUps, t.FollowUp)
	}
	s.FollowUpsCut = len(s.FollowUps) < len(planned)
	s.LeftOut = slices.Clone(plan.LeftOut[:min(len(plan.LeftOut), MaxLeftOut)])
}

// NextFollowUp answers the follow-up that is to be done first, and when.
func (s *State) NextFollowUp() (FollowUp, time.Time, bool) {
	if len(s.FollowUps) == 0 {
		return FollowUp{}, time.Time{}, false
	}
	first := s.timed(s.FollowUps)[0]
	return first.FollowUp, first.at, true
}

// NextAction is when the next follow-up is to be done; zero when there is none.
func (s *State) NextAction() time.Time {
	_, at, _ := s.NextFollowUp()
	return at
}

// FollowedUp takes in that the follow-up of the key was done. It will not be done
// again, whatever a plan says.
func (s *State) FollowedUp(key string, now time.Time) {
	if s.endFollowUp(DoneFollowUp{Key: key, At: now}) {
		s.note(now, "followed up: "+key)
	}
	if len(s.FollowUps) == 0 && s.FollowUpsCut {
		s.replan()
	}
}

// endFollowUp takes a follow-up off those that are planned, and reports whether it
// had not ended before.
func (s *State) endFollowUp(done DoneFollowUp) bool {
	s.FollowUps = slices.DeleteFunc(s.FollowUps, func(f FollowUp) bool { return f.Key == done.Key })
	s.Snoozed = slices.DeleteFunc(s.Snoozed, func(z SnoozedFollowUp) bool { return z.Key == done.Key })
	if s.isDone(done.Key) {
		return false
	}
	// Nothing is ever forgotten here: what is could be planned again. The playbook's
	// cap bounds what is done, MaxCancelledFollowUps what is cancelled.
	s.Done = append(s.Done, done)
	return true
}

func (s *State) isDone(key string) bool {
	return slices.ContainsFunc(s.Done, func(d DoneFollowUp) bool { return d.Key == key })
}

// timedFollowUp is a follow-up with the time at which it is to be done.
type timedFollowUp struct {
	FollowUp
	at time.Time
}

// timed puts follow-ups into the order in which they are to be done. Each is done
// when it is due, or put off until, whichever is later, and never before an earlier
// one of the same course: the second reminder waits for the first that was put off.
func (s *State) timed(followUps []FollowUp) []timedFollowUp {
	all := make([]timedFollowUp, len(followUps))
	for i, f := range followUps {
		all[i] = timedFollowUp{FollowUp: f, at: f.Due}
		if z := s.snoozed(f.Key); z != nil {
			all[i].at = latest(f.Due, z.Until)
		}
	}
	if len(s.Snoozed) > 0 {
		slices.SortStableFunc(all, func(a, b timedFollowUp) int { return cmp.Compare(a.Number, b.Number) })
		reached := make(map[string]time.Time)
		for i := range all {
			course := all[i].course()
			all[i].at = latest(all[i].at, reached[course])
			reached[course] = all[i].at
		}
	}
	slices.SortFunc(all, func(a, b timedFollowUp) int {
		return cmp.Or(a.at.Compare(b.at), a.Due.Compare(b.Due), cmp.Compare(a.Number, b.Number), cmp.Compare(a.Key, b.Key))
	})
	return all
}

// course is what the keys of a follow-up and of its repetitions have in common.
func (f FollowUp) course() string {
	return f.Key[:strings.LastIndexByte(f.Key, '/')+1] + f.Name
}

func (s *State) snoozed(key string) *SnoozedFollowUp {
	at := slices.IndexFunc(s.Snoozed, func(z SnoozedFollowUp) bool { return z.Key == key })
	if at < 0 {
		return nil
	}
	return &s.Snoozed[at]
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// maxKnownKeys is how many keys an error lists.
const maxKnownKeys = 5

// plans reports a key that no planned follow-up has.
func (s *State) plans(key string) error {
	if slices.ContainsFunc(s.FollowUps, func(f FollowUp) bool { return f.Key == key }) {
		return nil
	}
	if s.isDone(key) {
		return Failf(NotFound, "no follow-up %q is planned any more: it was done or cancelled", key)
	}
	if len(s.FollowUps) == 0 {
		return Failf(NotFound, "no follow-up %q is planned; none is", key)
	}
	var known []string
	for _, t := range s.timed(s.FollowUps) {
		known = append(known, t.Key)
	}
	told := strings.Join(known[:min(len(known), maxKnownKeys)], ", ")
	if more := len(known) - maxKnownKeys; more > 0 {
		told += fmt.Sprintf(" and %d more, which the view shows", more)
	}
	return Failf(NotFound, "no follow-up %q is planned; planned are %s", key, told)
}
