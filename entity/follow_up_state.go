package entity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// FollowUpState contains the planned follow-ups, the ended follow-ups, and the external changes
// whose reactions are not planned yet.
type FollowUpState struct {
	// PlanDue says that the follow-ups must be planned again. PlannedAt is the time at which the
	// follow-ups were last planned.
	PlanDue   bool      `json:"planDue,omitempty"`
	PlannedAt time.Time `json:"plannedAt,omitzero"`
	// PlanFirstChangeAt and PlanLastChangeAt are the times of the first and the last change of the
	// opportunity since a new plan became due. PlanFirstChangeAt and PlanLastChangeAt are zero when
	// the new plan is due at once.
	PlanFirstChangeAt time.Time `json:"planSince,omitzero"`
	PlanLastChangeAt  time.Time `json:"planLast,omitzero"`
	// AfterReset says that this run began after a reset. The run before the reset may already have
	// done follow-ups that are due now.
	AfterReset bool `json:"forgetful,omitempty"`
	// StepBeforeReset says that the record has been in its step since before a reset, so the run
	// before the reset may have sent mails of the step's follow-ups.
	StepBeforeReset bool `json:"stepBeforeReset,omitempty"`
	// FollowUps are the earliest planned follow-ups. FollowUpsTruncated says that the plan has more
	// follow-ups than FollowUps contains. SkippedFollowUps are the follow-ups that Oppflow does not
	// do. DoneFollowUps are follow-ups that were done or cancelled, and that are not planned again.
	FollowUps          []exchange.FollowUp           `json:"followUps,omitempty"`
	FollowUpsTruncated bool                          `json:"followUpsCut,omitempty"`
	SkippedFollowUps   []opportunity.SkippedFollowUp `json:"leftOut,omitempty"`
	SnoozedFollowUps   []SnoozedFollowUp             `json:"snoozed,omitempty"`
	DoneFollowUps      []exchange.DoneFollowUp       `json:"done,omitempty"`
	// ReservationExpired says that the reservation has expired since the last plan.
	// ExternalChanges are the external changes whose reactions are not planned yet.
	ReservationExpired bool                 `json:"lapsed,omitempty"`
	ExternalChanges    []exchange.PlanCause `json:"occasions,omitempty"`
}

func (s *FollowUpState) checkCancel(key string) error {
	if err := s.checkPlanned(key); err != nil {
		return err
	}
	cancelled := 0
	for _, done := range s.DoneFollowUps {
		if done.Cancelled {
			cancelled++
		}
	}
	if cancelled >= opportunity.MaxCancelledFollowUps {
		return opportunity.Invalidf("followUp: %d follow-ups of the opportunity are cancelled already, which is the limit; snooze this follow-up until a distant time, or change the playbook", cancelled)
	}
	return nil
}

// SetFollowUps stores those follow-ups of a plan that are not done yet. SetFollowUps keeps the
// earliest follow-ups, up to MaxFollowUps and MaxFollowUpBytes. A later plan contains the other
// follow-ups again. The view shows the follow-ups that the plan skips, but a skipped follow-up
// raises no attention.
func (s *FollowUpState) SetFollowUps(plan exchange.Plan, now time.Time) {
	planned := slices.DeleteFunc(slices.Clone(plan.FollowUps), func(f exchange.FollowUp) bool { return s.isFollowUpDone(f.Key) })
	s.SnoozedFollowUps = slices.DeleteFunc(s.SnoozedFollowUps, func(z SnoozedFollowUp) bool {
		return !z.Until.After(now) || !slices.ContainsFunc(planned, func(f exchange.FollowUp) bool { return f.Key == z.Key })
	})
	s.FollowUps = nil
	taken := 0
	for _, t := range s.scheduledFollowUps(planned) {
		taken += exchange.JSONSize(t.FollowUp)
		if len(s.FollowUps) == opportunity.MaxFollowUps || len(s.FollowUps) > 0 && taken > opportunity.MaxFollowUpBytes {
			break
		}
		s.FollowUps = append(s.FollowUps, t.FollowUp)
	}
	s.FollowUpsTruncated = len(s.FollowUps) < len(planned)
	s.SkippedFollowUps = slices.Clone(plan.SkippedFollowUps[:min(len(plan.SkippedFollowUps), opportunity.MaxSkippedFollowUps)])
}

// endFollowUp removes a follow-up from the planned follow-ups. endFollowUp returns false when the
// follow-up was done or cancelled before.
func (s *FollowUpState) endFollowUp(done exchange.DoneFollowUp) bool {
	s.FollowUps = slices.DeleteFunc(s.FollowUps, func(f exchange.FollowUp) bool { return f.Key == done.Key })
	s.SnoozedFollowUps = slices.DeleteFunc(s.SnoozedFollowUps, func(z SnoozedFollowUp) bool { return z.Key == done.Key })
	if s.isFollowUpDone(done.Key) {
		return false
	}
	// DoneFollowUps never loses an entry to save space, because a later plan could then repeat the
	// follow-up of the entry. The playbook's maximum number of follow-ups limits the done
	// follow-ups, and MaxCancelledFollowUps limits the cancelled follow-ups.
	s.DoneFollowUps = append(s.DoneFollowUps, done)
	return true
}

func (s *FollowUpState) isFollowUpDone(key string) bool {
	return slices.ContainsFunc(s.DoneFollowUps, func(d exchange.DoneFollowUp) bool { return d.Key == key })
}

type scheduledFollowUp struct {
	exchange.FollowUp
	at time.Time
}

// The run does each follow-up at its due time or at the end of its snooze, whichever is later. The
// run never does a follow-up before an earlier follow-up of the same series.
func (s *FollowUpState) scheduledFollowUps(followUps []exchange.FollowUp) []scheduledFollowUp {
	all := make([]scheduledFollowUp, len(followUps))
	for i, f := range followUps {
		all[i] = scheduledFollowUp{FollowUp: f, at: f.Due}
		if z := s.snoozedFollowUp(f.Key); z != nil {
			all[i].at = latest(f.Due, z.Until)
		}
	}
	if len(s.SnoozedFollowUps) > 0 {
		slices.SortStableFunc(all, func(a, b scheduledFollowUp) int { return cmp.Compare(a.Number, b.Number) })
		reached := make(map[string]time.Time)
		for i := range all {
			course := all[i].Series()
			all[i].at = latest(all[i].at, reached[course])
			reached[course] = all[i].at
		}
	}
	slices.SortFunc(all, func(a, b scheduledFollowUp) int {
		return cmp.Or(a.at.Compare(b.at), a.Due.Compare(b.Due), cmp.Compare(a.Number, b.Number), cmp.Compare(a.Key, b.Key))
	})
	return all
}

func (s *FollowUpState) snoozedFollowUp(key string) *SnoozedFollowUp {
	at := slices.IndexFunc(s.SnoozedFollowUps, func(z SnoozedFollowUp) bool { return z.Key == key })
	if at < 0 {
		return nil
	}
	return &s.SnoozedFollowUps[at]
}

const maxListedKeys = 5

func (s *FollowUpState) checkPlanned(key string) error {
	if slices.ContainsFunc(s.FollowUps, func(f exchange.FollowUp) bool { return f.Key == key }) {
		return nil
	}
	if s.isFollowUpDone(key) {
		return opportunity.Failf(opportunity.NotFound, "follow-up %q is no longer planned: the follow-up was done or cancelled", key)
	}
	if len(s.FollowUps) == 0 {
		return opportunity.Failf(opportunity.NotFound, "no follow-up %q is planned; the opportunity has no planned follow-up", key)
	}
	var known []string
	for _, t := range s.scheduledFollowUps(s.FollowUps) {
		known = append(known, t.Key)
	}
	listed := strings.Join(known[:min(len(known), maxListedKeys)], ", ")
	if more := len(known) - maxListedKeys; more > 0 {
		listed += fmt.Sprintf(" and %d more, which the view shows", more)
	}
	return opportunity.Failf(opportunity.NotFound, "no follow-up %q is planned; the planned follow-ups are %s", key, listed)
}

func (s *FollowUpState) checkSnooze(z opportunity.Snooze, now time.Time) error {
	if err := s.checkPlanned(z.FollowUp); err != nil {
		return err
	}
	if !z.Until.After(now) {
		return opportunity.Invalidf("until: this time has passed; give a time in the future")
	}
	if s.snoozedFollowUp(z.FollowUp) == nil && len(s.SnoozedFollowUps) >= opportunity.MaxFollowUps {
		return opportunity.Invalidf("followUp: %d follow-ups of the opportunity are snoozed already, which is the limit", len(s.SnoozedFollowUps))
	}
	return nil
}

func (s *FollowUpState) plannedFollowUps() []opportunity.PlannedFollowUp {
	var planned []opportunity.PlannedFollowUp
	for _, t := range s.scheduledFollowUps(s.FollowUps) {
		shown := opportunity.PlannedFollowUp{Key: t.Key, Name: t.Name, Due: t.Due, Number: t.Number, Of: t.Of, Action: t.Action.Kind}
		if z := s.snoozedFollowUp(t.Key); z != nil {
			shown.SnoozedUntil, shown.Reason = z.Until, z.Reason
		}
		planned = append(planned, shown)
	}
	return planned
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// setPlanDue makes a new plan due at once if watched is true.
func (s *FollowUpState) setPlanDue(watched bool) {
	s.PlanDue, s.PlanFirstChangeAt, s.PlanLastChangeAt = watched, time.Time{}, time.Time{}
}

// setPlanDueAfterQuiet makes a new plan due after the opportunity has not changed for the time
// quiet, if watched is true. A plan that is due at once stays due at once.
func (s *FollowUpState) setPlanDueAfterQuiet(watched bool, quiet time.Duration, now time.Time) {
	if !watched || quiet <= 0 || s.PlanDue && s.PlanFirstChangeAt.IsZero() {
		s.setPlanDue(watched)
		return
	}
	if !s.PlanDue {
		s.PlanFirstChangeAt = now
	}
	s.PlanDue, s.PlanLastChangeAt = true, now
}
