package opportunity

import (
	"slices"
	"time"
)

// Overdue returns the follow-up that is due, when no other work comes first.
func (s *State) Overdue(now time.Time) (FollowUp, bool) {
	if !s.mayAct() || s.PlanDue && !s.planAt().After(now) || len(s.Queue) > 0 {
		return FollowUp{}, false
	}
	next, due, some := s.NextFollowUp()
	return next, some && !due.After(now)
}

// HasChores reports whether there is work that no message asks for.
func (s *State) HasChores(now time.Time) bool {
	_, job := s.DueJob(now)
	_, _, move := s.MoveToPlan()
	_, followUp := s.Overdue(now)
	_, occasion := s.Occasion()
	return job || move || followUp || occasion || s.PlansNow(now)
}

// WakeAt returns when there will be work without a message; zero when there will be
// none.
func (s *State) WakeAt(now time.Time) time.Time {
	if !s.mayAct() {
		return time.Time{}
	}
	var wake time.Time
	times := []time.Time{s.watchAt(), s.jobsAt(now), s.NextAction()}
	if s.PlanDue {
		times = append(times, s.planAt())
	}
	for _, at := range times {
		if at.After(now) && (wake.IsZero() || at.Before(wake)) {
			wake = at
		}
	}
	return wake
}

// ActsAt returns when the next follow-up is due, or the next effect that waits for its
// time, such as an invoice to be made final; zero when nothing waits for a time.
func (s *State) ActsAt(now time.Time) time.Time {
	at := s.jobsAt(now)
	if next := s.NextAction(); !next.IsZero() && (at.IsZero() || next.Before(at)) {
		at = next
	}
	return at
}

// RenewsNow reports whether the run continues as a new run now, because of another
// playbook. This needs that nothing waits and nothing is under way.
func (s *State) RenewsNow(now time.Time) bool {
	return s.Renewed && len(s.Queue) == 0 && !s.HasChores(now)
}

// PlannedFor stores a plan for the current step, made from the record, and what
// happened outside since the last plan, whose effects need a plan, too.
func (s *State) PlannedFor(plan Plan, record Snapshot, cancelled, soldOut []ID, now time.Time) {
	for _, event := range cancelled {
		if !slices.Contains(s.CancelledEvents, event) && len(s.CancelledEvents) < MaxInterests {
			s.CancelledEvents = append(s.CancelledEvents, event)
			s.happened(Occasion{Kind: OccasionEventCancelled, Item: event})
		}
	}
	// An opportunity that holds places needs no notice. Once the places have lapsed,
	// it does.
	if !record.Reservation.Valid && !record.Step.Stage.State.Ends() {
		for _, event := range soldOut {
			if !slices.Contains(s.SoldOutEvents, event) {
				s.happened(Occasion{Kind: OccasionSoldOut, Item: event})
			}
		}
		s.SoldOutEvents = soldOut[:min(len(soldOut), MaxInterests)]
	}
	s.Looked(record, now)
	if s.Lapsed {
		s.Lapsed = false
		s.happened(Occasion{Kind: OccasionLapsed})
	}
	s.calmAbout(AttentionPlaybook, PlanRequest)
	s.tell(plan, now)
	s.Planned(plan, now)
	s.planNow(false)
	s.PlannedAt = now
	if s.Forgetful {
		s.Forgetful = false
		s.askAboutDue(now)
	}
}

// happened stores an occasion for the playbook, when the playbook has rules for
// outside events.
func (s *State) happened(occasion Occasion) {
	if s.Rules.Happenings && !slices.Contains(s.Occasions, occasion) {
		s.Occasions = append(s.Occasions, occasion)
	}
}

// Occasion returns the first outside event whose effects are not planned yet.
func (s *State) Occasion() (Occasion, bool) {
	if len(s.Occasions) == 0 || !s.mayAct() {
		return Occasion{}, false
	}
	return s.Occasions[0], true
}

// Unplannable stores that no plan can be made, for the given reason: without a read of
// the record there are no follow-ups.
func (s *State) Unplannable(reason string, now time.Time) {
	s.planNow(false)
	s.PlannedAt, s.FollowUps = now, nil
	s.Attend(AttentionPlaybook, PlanRequest, "nothing is followed up, since the record cannot be looked at: "+reason, now)
}

// FollowUp begins the follow-up that is due; from then on it is not planned again.
func (s *State) FollowUp(f FollowUp, now time.Time) {
	s.FollowedUp(f.Key, now)
	switch action := f.Action; action.Kind {
	case ActionProgress:
		if action.Progress != nil {
			if _, err := s.Accept(*action.Progress, "", true, now); err != nil {
				s.Attend(AttentionFollowUp, f.Key, "it could not be asked for: "+err.Error(), now)
			}
		}
	case ActionAttention:
		s.Attend(AttentionFollowUp, f.Key, action.Attention, now)
	default:
		s.startFollowUp(f, now)
	}
}

func (s *State) startFollowUp(f FollowUp, now time.Time) {
	chain := s.nextChain()
	s.startChain(JobAfter, chain, []Effect{{
		Key: f.Key, Kind: EffectKind(f.Action.Kind), Undo: UndoNone,
		Email: f.Action.Email, Log: f.Action.Log, Call: f.Action.Call, Later: f.Action.Later,
	}}, now)
	for i := range s.Jobs {
		if s.Jobs[i].Chain == chain {
			s.Jobs[i].Number, s.Jobs[i].Of = f.Number, f.Of
		}
	}
}

// Reset handles a reset of the run. The run before may have sent mails and log entries
// that wait here, also those of follow-ups that are due.
func (s *State) Reset(now time.Time) {
	s.replan()
	s.Forgetful = s.PlanDue
	s.askAboutJobs(func(Job) bool { return true }, now)
}

func (s *State) askAboutJobs(which func(Job) bool, now time.Time) {
	for i := range s.Jobs {
		j := &s.Jobs[i]
		if unseen := j.Effect.Kind == EffectEmail || j.Effect.Kind == EffectLog; unseen && !j.Done && j.Problem == "" && which(*j) {
			s.stick(j, "did it happen? The run was reset, and the API does not show it. Answer confirm (it did), retry (it did not) or skip (never mind)", now)
		}
	}
}

// askAboutDue leaves the due follow-ups to an operator.
func (s *State) askAboutDue(now time.Time) {
	for {
		f, due := s.Overdue(now)
		if !due {
			return
		}
		s.FollowUp(f, now)
		s.askAboutJobs(func(j Job) bool { return j.Chain == s.Chains }, now)
	}
}
