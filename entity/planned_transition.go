package entity

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oppflow/oppflow/entity/manual"
	"github.com/oppflow/oppflow/entity/queue"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// PlannedTransition is a queued progress command whose effects are planned.
type PlannedTransition struct {
	Request string `json:"request"`
	// Chain is the number of the chain that contains the effects of this transition.
	Chain int               `json:"chain"`
	After []exchange.Effect `json:"after,omitempty"`
	// FromKnown says that the effects were planned without a read of the record.
	FromKnown bool `json:"fromKnown,omitempty"`
}

// nextTransition returns the planned transition of the first command of the queue, or nil when
// that command is not a progress command with planned effects.
func (s *State) nextTransition() *PlannedTransition {
	if len(s.Queue) == 0 || s.Queue[0].MessageName != opportunity.MessageProgress {
		return nil
	}
	return s.plannedTransition(s.Queue[0].Request)
}

// isTransitionBlocked reports whether the first command of the queue is a progress command that
// cannot be sent yet. A progress command is blocked while its effects are not planned, or while an
// effect before the transition is not done.
func (s *State) isTransitionBlocked() bool {
	if len(s.Queue) == 0 || s.Queue[0].MessageName != opportunity.MessageProgress {
		return false
	}
	move := s.nextTransition()
	if move == nil {
		return s.Playbook.Transitions
	}
	return slices.ContainsFunc(s.ActiveEffects, func(j ActiveEffect) bool {
		return j.Chain == move.Chain && j.Stage == opportunity.EffectStageBefore && !j.Done
	})
}

// TransitionToPlan returns the request id and the target step of the next transition, when the
// effects of the transition are not planned yet.
func (s *State) TransitionToPlan() (request, to string, due bool) {
	if !s.canProceed() || !s.Playbook.Transitions ||
		len(s.Queue) == 0 || s.Queue[0].MessageName != opportunity.MessageProgress || s.nextTransition() != nil {
		return "", "", false
	}
	c, err := s.Queue[0].Decode()
	progress, ok := c.(opportunity.Progress)
	if err != nil || !ok {
		return "", "", false
	}
	return s.Queue[0].Request, progress.To, true
}

// ApplyTransitionPlan stores the planned effects of a transition. fromKnown says that the plan was
// made without a read of the record. If the API then rejects the transition, the record is read,
// because a person may have made a transition by hand.
func (s *State) ApplyTransitionPlan(request string, plan exchange.Plan, fromKnown bool, now time.Time) {
	s.reportPlanProblems(plan, now)
	move := PlannedTransition{Request: request, After: plan.After, FromKnown: fromKnown}
	if len(plan.Before)+len(plan.After) > 0 {
		move.Chain = s.nextChain()
	}
	s.startChain(opportunity.EffectStageBefore, move.Chain, plan.Before, now)
	s.PlannedTransitions = append(s.PlannedTransitions, move)
	s.PlannedByVersion = plan.Version
}

// ShowsManualTransition reports whether a read that finds the record in the given step shows a
// transition by hand. A progress command of unknown result may explain the step, too. Without rules
// for transitions in the playbook, ShowsManualTransition returns false.
func (s *State) ShowsManualTransition(found opportunity.Step) bool {
	return s.ID != "" && s.Playbook.Transitions && s.Step.ID != "" && found.ID != "" && found.ID != s.Step.ID &&
		!s.StepUnconfirmed && !s.isProgressInDoubt(found)
}

// isProgressInDoubt reports whether a progress command to the step is in doubt or parked.
func (s *Inbox) isProgressInDoubt(to opportunity.Step) bool {
	leadsTo := func(e queue.Command) bool {
		c, err := e.Decode()
		progress, is := c.(opportunity.Progress)
		return err == nil && is && (progress.To == string(to.ID) || strings.EqualFold(progress.To, to.Name))
	}
	return slices.ContainsFunc(s.Parked, leadsTo) || slices.ContainsFunc(s.Queue, func(e queue.Command) bool { return e.InDoubt && leadsTo(e) })
}

// AddManualTransition stores that a person made a transition by hand to the step. Call
// AddManualTransition before the state stores the record of the read. A second transition by hand
// before the effects are planned changes only the target step, so that both count as one
// transition.
func (s *State) AddManualTransition(to opportunity.Step, now time.Time) {
	s.appendTimeline(now, fmt.Sprintf("the transition from %s to %s was made by hand in the TMS", s.Step.Name, to.Name))
	if s.ManualTransition != nil {
		s.ManualTransition.To = to
		return
	}
	s.ManualTransition = manual.NewTransition(s.Step, to, s.StepSeenAt, now, s.Playbook.NoticeWithin)
}

func (s *State) manualCause() (exchange.PlanCause, bool) {
	if s.ManualTransition == nil || !s.canProceed() {
		return exchange.PlanCause{}, false
	}
	return s.ManualTransition.Cause(), true
}

// ApplyManualTransitionPlan starts the planned effects of the transition by hand, except the effects
// before the transition. When the transition was noticed late, each mail and each call waits for an
// operator in a chain of its own, so that the other effects do not wait.
func (s *State) ApplyManualTransitionPlan(plan exchange.Plan, now time.Time) {
	m := s.ManualTransition
	if m == nil {
		return
	}
	s.ManualTransition, s.PlannedByVersion = nil, plan.Version
	s.reportPlanProblems(plan, now)
	s.appendTimeline(now, fmt.Sprintf("the effects of the transition by hand to %s are planned; number of effects: %d", m.To.Name, len(plan.After)))
	first := s.nextChain()
	s.startChain(opportunity.EffectStageAfter, first, slices.DeleteFunc(slices.Clone(plan.After), m.NeedsOperator), now)
	for _, effect := range plan.After {
		if m.NeedsOperator(effect) {
			s.startChain(opportunity.EffectStageAfter, s.nextChain(), []exchange.Effect{effect}, now)
		}
	}
	for i := range s.ActiveEffects {
		if j := &s.ActiveEffects[i]; j.Chain >= first && m.NeedsOperator(j.Effect) {
			s.blockEffect(j, m.Question(j.Effect), now)
		}
	}
	if m.AfterReset {
		s.blockUnverifiableEffects(func(j ActiveEffect) bool { return j.Chain >= first }, now)
	}
}

// HasUnplannedTransition reports whether the batch contains a transition without planned effects. A
// transition without planned effects is possible only while the stored playbook has no rules for
// transitions.
func (s *State) HasUnplannedTransition(batch []exchange.Change) bool {
	return slices.ContainsFunc(batch, func(m exchange.Change) bool { return m.Progress != nil && s.plannedTransition(m.Request) == nil })
}

// The effects that were already done are undone in reverse order.
func (s *State) failTransition(active ActiveEffect, why string, now time.Time) {
	at := slices.IndexFunc(s.PlannedTransitions, func(m PlannedTransition) bool { return m.Chain == active.Chain })
	if at < 0 {
		return
	}
	request := s.PlannedTransitions[at].Request
	entry := slices.IndexFunc(s.Queue, func(e queue.Command) bool { return e.Request == request })
	if entry < 0 {
		return
	}
	failed := s.Queue[entry]
	s.Queue = slices.Delete(s.Queue, entry, entry+1)
	s.endRequest(failed, &opportunity.Error{
		Type: opportunity.Rejected, Label: "Effect Failed", Value: string(active.Effect.Kind),
		Message: fmt.Sprintf("the transition was not made, because an effect before the transition failed: %s: %s", active.Effect.Kind, why),
	}, now)
}

// endTransition starts the effects after a transition that was made. If the transition was not
// made, endTransition undoes the effects before the transition.
func (s *State) endTransition(request string, reason *opportunity.Error, now time.Time) {
	at := slices.IndexFunc(s.PlannedTransitions, func(m PlannedTransition) bool { return m.Request == request })
	if at < 0 {
		return
	}
	move := s.PlannedTransitions[at]
	s.PlannedTransitions = slices.Delete(s.PlannedTransitions, at, at+1)
	belongs := func(j ActiveEffect) bool { return j.Chain == move.Chain && j.Stage == opportunity.EffectStageBefore }
	if slices.ContainsFunc(s.ActiveEffects, func(j ActiveEffect) bool { return belongs(j) && j.AsksPeople }) {
		s.endPeopleQuestion("") // an effect that still needs an answer raises the question again
	}
	switch {
	case reason == nil:
		s.ActiveEffects = slices.DeleteFunc(s.ActiveEffects, belongs)
		s.startChain(opportunity.EffectStageAfter, move.Chain, move.After, now)
	case reason.Type == opportunity.Skipped || reason.Type == opportunity.Undecided:
		// The transition may have been made, so the effects are not undone.
		for _, j := range s.ActiveEffects {
			if belongs(j) && j.Attempted {
				s.recordEffectResult(j, opportunity.EffectAbandoned, "it is unknown whether the transition was made", now)
				s.raiseEffectAttention(j.Effect, "it is unknown whether the transition of this effect was made; the effect was not undone", now)
			}
		}
		s.ActiveEffects = slices.DeleteFunc(s.ActiveEffects, belongs)
	default:
		s.RefreshDue = s.RefreshDue || move.FromKnown && (reason.Type == opportunity.TransitionNotFound || reason.Type == opportunity.Rejected)
		s.ActiveEffects = slices.DeleteFunc(s.ActiveEffects, func(j ActiveEffect) bool { return belongs(j) && !j.Attempted })
		for i := range s.ActiveEffects {
			if belongs(s.ActiveEffects[i]) {
				s.ActiveEffects[i].Stage, s.ActiveEffects[i].Done, s.ActiveEffects[i].LastConfirmed, s.ActiveEffects[i].NotBefore, s.ActiveEffects[i].Errors = opportunity.EffectStageUndo, false, nil, time.Time{}, 0
			}
		}
	}
}
