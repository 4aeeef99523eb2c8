package entity

import (
	"fmt"
	"slices"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// DueFollowUp returns the follow-up that is due, unless other work has priority.
func (s *State) DueFollowUp(now time.Time) (exchange.FollowUp, bool) {
	if !s.canProceed() || s.PlanDue && !s.nextPlanAt().After(now) || len(s.Queue) > 0 {
		return exchange.FollowUp{}, false
	}
	next, due, some := s.NextFollowUp()
	return next, some && !due.After(now)
}

// HasBackgroundWork reports whether the next task can be an effect, a plan or a follow-up.
func (s *State) HasBackgroundWork(now time.Time) bool {
	_, active := s.DueEffect(now)
	_, _, move := s.TransitionToPlan()
	_, followUp := s.DueFollowUp(now)
	_, change := s.NextExternalChange()
	_, manual := s.manualCause()
	return active || move || followUp || change || manual || s.ShouldPlan(now)
}

// NextWakeAt returns the next time at which work is due even if no message arrives, or zero when
// there is no such time.
func (s *State) NextWakeAt(now time.Time) time.Time {
	if !s.canProceed() {
		return time.Time{}
	}
	if until := s.OpenUntil(); until.After(now) {
		return until
	}
	var wake time.Time
	times := []time.Time{s.nextPollAt(), s.nextInspectionAt(now), s.NextFollowUpAt()}
	if s.PlanDue {
		times = append(times, s.nextPlanAt())
	}
	for _, at := range times {
		if at.After(now) && (wake.IsZero() || at.Before(wake)) {
			wake = at
		}
	}
	return wake
}

// NextActionAt returns the earliest time at which a follow-up or a waiting effect is due, such as
// an invoice to finalise. Without a follow-up or a waiting effect, NextActionAt returns the time
// until which a run in a final step stays open, or zero.
func (s *State) NextActionAt(now time.Time) time.Time {
	at := s.nextInspectionAt(now)
	if next := s.NextFollowUpAt(); !next.IsZero() && (at.IsZero() || next.Before(at)) {
		at = next
	}
	if at.IsZero() {
		return s.keptOpenUntil()
	}
	return at
}

// ShouldContinueForPlaybook reports whether the run continues as new now because the playbook
// changed.
func (s *State) ShouldContinueForPlaybook(now time.Time) bool {
	return s.PlaybookChanged && len(s.Queue) == 0 && !s.HasBackgroundWork(now)
}

// ApplyPlan stores a plan for the current step that was made from the given record.
func (s *State) ApplyPlan(plan exchange.Plan, record exchange.Snapshot, cancelled, soldOut []opportunity.ID, now time.Time) {
	s.ApplyExternalChanges(record, cancelled, soldOut, now)
	s.clearAttentionFor(opportunity.AttentionPlaybook, opportunity.PlanRequestID)
	s.reportPlanProblems(plan, now)
	s.SetFollowUps(plan, now)
	if s.AfterReset {
		s.AfterReset = false
		s.blockDueFollowUps(now)
	}
}

// PlansOnlyReactions reports whether the next plan contains no follow-ups, and is made only to find
// external changes before the run ends.
func (s *State) PlansOnlyReactions() bool {
	return s.Step.Stage.State.IsFinal() && s.shouldPoll() && !s.Playbook.HasFollowUpsIn(s.Step) && !s.AfterReset
}

// ApplyExternalChanges stores a record that was read, and the external changes since the last plan,
// whose reactions must be planned.
func (s *State) ApplyExternalChanges(record exchange.Snapshot, cancelled, soldOut []opportunity.ID, now time.Time) {
	for _, event := range cancelled {
		if !slices.Contains(s.CancelledEvents, event) && len(s.CancelledEvents) < opportunity.MaxInterests {
			s.CancelledEvents = append(s.CancelledEvents, event)
			s.recordExternalChange(exchange.PlanCause{Kind: exchange.CauseEventCancelled, Item: event})
		}
	}
	// While an opportunity has a reservation, a sold-out event needs no reaction.
	if !record.Reservation.Valid && !record.Step.Stage.State.IsFinal() {
		for _, event := range soldOut {
			if !slices.Contains(s.SoldOutEvents, event) {
				s.recordExternalChange(exchange.PlanCause{Kind: exchange.CauseEventSoldOut, Item: event})
			}
		}
		s.SoldOutEvents = soldOut[:min(len(soldOut), opportunity.MaxInterests)]
	}
	s.ApplySnapshot(record, now)
	if s.ReservationExpired {
		s.ReservationExpired = false
		s.recordExternalChange(exchange.PlanCause{Kind: exchange.CauseReservationExpired})
	}
	s.setPlanDue(false)
	s.PlannedAt = now
}

func (s *State) recordExternalChange(change exchange.PlanCause) {
	if s.Playbook.Reactions && !slices.Contains(s.ExternalChanges, change) {
		s.ExternalChanges = append(s.ExternalChanges, change)
	}
}

// NextExternalChange returns the first external change whose reaction is not planned yet.
func (s *State) NextExternalChange() (exchange.PlanCause, bool) {
	if len(s.ExternalChanges) == 0 || !s.canProceed() {
		return exchange.PlanCause{}, false
	}
	return s.ExternalChanges[0], true
}

// ApplyPlanFailure stores that no plan can be made, and the given reason. ApplyPlanFailure drops
// the planned follow-ups, because the record could not be read.
func (s *State) ApplyPlanFailure(reason string, now time.Time) {
	s.setPlanDue(false)
	s.PlannedAt, s.FollowUps = now, nil
	s.RaiseAttention(opportunity.AttentionPlaybook, opportunity.PlanRequestID, "no follow-up is planned, because the record cannot be read: "+reason, now)
}

// StartFollowUp starts the follow-up that is due. A started follow-up is not planned again, unless
// WithdrawFollowUp withdraws the follow-up before its effect begins.
func (s *State) StartFollowUp(f exchange.FollowUp, now time.Time) {
	s.CompleteFollowUp(f.Key, now)
	switch action := f.Action; action.Kind {
	case opportunity.ActionProgress:
		if action.Progress != nil {
			if _, err := s.Accept(*action.Progress, "", true, now); err != nil {
				s.RaiseAttention(opportunity.AttentionFollowUp, f.Key, "the request of the follow-up was not accepted: "+err.Error(), now)
			}
		}
	case opportunity.ActionAttention:
		s.RaiseAttention(opportunity.AttentionFollowUp, f.Key, action.Attention, now)
	default:
		s.startFollowUpEffect(f, now)
	}
}

func (s *State) startFollowUpEffect(f exchange.FollowUp, now time.Time) {
	chain := s.nextChain()
	s.startChain(opportunity.EffectStageAfter, chain, []exchange.Effect{{
		Key: f.Key, Kind: opportunity.EffectKind(f.Action.Kind), Undo: exchange.UndoNone,
		Settings: f.Action.Settings, UnknownMembers: f.Action.UnknownMembers,
	}}, now)
	started := false
	for i := range s.ActiveEffects {
		if j := &s.ActiveEffects[i]; j.Chain == chain {
			j.Number, j.Of, j.Series, started = f.Number, f.Of, f.Series(), true
		}
	}
	if !started { // too many effects wait already
		s.endBlockedFollowUp(ActiveEffect{Effect: exchange.Effect{Key: fmt.Sprintf("%d/%s", chain, f.Key)}, Series: f.Series()}, false, now)
	}
}

// ApplyReset updates the state of a run that begins after a reset. The run before the reset may
// already have sent emails and log entries that this run still has to send. An operator therefore
// decides after a reset about all emails and log entries that wait or are due.
func (s *State) ApplyReset(now time.Time) {
	s.RecordSeenAt = time.Time{}
	s.requestPlan()
	s.AfterReset, s.StepBeforeReset = s.PlanDue, true
	if s.ManualTransition != nil {
		s.ManualTransition.AfterReset = true
	}
	s.blockUnverifiableEffects(func(ActiveEffect) bool { return true }, now)
}

// BlockStartedFollowUp lets an operator decide about the mail or the log entry of the follow-up that
// was started last.
func (s *State) BlockStartedFollowUp(now time.Time) {
	s.blockUnverifiableEffects(func(j ActiveEffect) bool { return j.Chain == s.LastChain }, now)
}

func (s *State) blockUnverifiableEffects(which func(ActiveEffect) bool, now time.Time) {
	for i := range s.ActiveEffects {
		j := &s.ActiveEffects[i]
		if unseen := j.Effect.Kind == opportunity.EffectEmail || j.Effect.Kind == opportunity.EffectLog; unseen && !j.Done && j.Problem == "" && which(*j) {
			s.blockEffect(j, "was the effect carried out before the reset of the run? The API does not show whether the effect was carried out. Answer confirm (the effect was carried out), retry (the effect was not carried out) or skip (continue without the effect)", now)
		}
	}
}

// blockDueFollowUps starts the due follow-ups, but lets an operator decide about their emails and
// log entries.
func (s *State) blockDueFollowUps(now time.Time) {
	for {
		f, due := s.DueFollowUp(now)
		if !due {
			return
		}
		s.StartFollowUp(f, now)
		s.BlockStartedFollowUp(now)
	}
}

// SetPlaybook stores the features of the playbook that the latest response of a worker contained.
// When the features have changed, a new plan becomes due. SetPlaybook ignores a playbook version
// lower than the stored version.
func (s *State) SetPlaybook(rules *exchange.PlaybookFeatures, now time.Time) {
	var has exchange.PlaybookFeatures
	if rules != nil {
		has = *rules
	}
	if has.Version < s.Playbook.Version {
		return
	}
	// A new version with the same features needs no new plan. A change of KeepOpen or NoticeWithin
	// needs no new plan.
	s.Playbook.Version, s.Playbook.KeepOpen, s.Playbook.NoticeWithin = has.Version, has.KeepOpen, has.NoticeWithin
	if has == s.Playbook {
		return
	}
	s.PlaybookChanged = s.PlaybookChanged || s.Playbook.Digest != "" && has.Digest != s.Playbook.Digest
	s.Playbook = has
	s.setPlanDueAfterQuiet(s.shouldPoll(), has.QuietTime, now)
	if !has.ShouldPoll() {
		s.CancelWait(opportunity.PlanRequestID)
	}
	s.dropStaleFollowUps()
}

func (s *State) dropStaleFollowUps() {
	if !s.Playbook.HasFollowUpsIn(s.Step) {
		s.FollowUps, s.SkippedFollowUps = nil, nil
	}
}

func (s *State) requestPlan() {
	s.setPlanDue(s.shouldPoll())
	s.dropStaleFollowUps()
}

func (s *State) shouldPoll() bool {
	switch {
	case s.ID == "" || !s.Playbook.ShouldPoll():
		return false
	case s.Playbook.FollowUpSteps == "":
		return true
	}
	return s.Playbook.HasFollowUpsIn(s.Step) || s.Playbook.Reactions && s.canHaveExternalChange()
}

// An external change with a reaction is possible when the opportunity has an interest in an event,
// or reserved places. An interest of unknown kind counts as an interest in an event.
func (s *State) canHaveExternalChange() bool {
	return s.ReservationExpired || s.Reservation.Valid || slices.ContainsFunc(s.Interests, func(i opportunity.RecordedInterest) bool { return i.Kind == opportunity.Event || i.Kind == "" })
}

// ShouldPlan reports whether the run plans the follow-ups now if no other work has priority.
func (s *State) ShouldPlan(now time.Time) bool {
	return s.canProceed() && s.Playbook.ShouldPoll() &&
		(s.PlanDue && !s.nextPlanAt().After(now) || !s.nextPollAt().IsZero() && !s.nextPollAt().After(now))
}

// maxQuietFactor is the longest delay of a plan, as a multiple of the playbook's quiet time.
const maxQuietFactor = 6

// nextPlanAt returns the time at which the due plan is made; zero means at once. Commands that
// arrive shortly after each other share one plan. If a follow-up is due before the plan, the
// follow-up reads the record, and the plan is made from the same read. In a final step, the plan is
// due at once, because the run may end.
func (s *State) nextPlanAt() time.Time {
	if s.PlanFirstChangeAt.IsZero() || s.Step.Stage.State.IsFinal() {
		return time.Time{}
	}
	return earliest(s.PlanLastChangeAt.Add(s.Playbook.QuietTime), s.PlanFirstChangeAt.Add(maxQuietFactor*s.Playbook.QuietTime))
}

// maxPollInterval is the longest time between two reads of the record and of the events of its
// interests, when nothing else causes a read.
const maxPollInterval = 24 * time.Hour

// pollInterval returns the time between two regular reads of the record: a day, minus the offset
// that SpreadOffset returns for the record.
func (s *State) pollInterval() time.Duration {
	return maxPollInterval - exchange.SpreadOffset(s.ID, s.Playbook.Spread)
}

// The record is read at the expiry time of its reservation. If the playbook has reactions and the
// record has an interest in an event, the record is also read once per pollInterval. The record of an
// ended opportunity is not read while the run stays open.
func (s *State) nextPollAt() time.Time {
	if s.ID == "" || !s.Playbook.ShouldPoll() || s.PlannedAt.IsZero() || !s.OpenUntil().IsZero() {
		return time.Time{}
	}
	var at time.Time
	if s.Playbook.Reactions && !s.Step.Stage.State.IsFinal() {
		for _, held := range s.Interests {
			if held.Kind == opportunity.Event {
				at = s.PlannedAt.Add(s.pollInterval())
				break
			}
		}
	}
	if expiry := s.Reservation.Until; s.Reservation.Valid && expiry.After(s.PlannedAt) && (at.IsZero() || expiry.Before(at)) {
		at = expiry
	}
	return at
}
