package entity

import (
	"time"

	"github.com/oppflow/oppflow/exchange"
)

// A Task is the next work of a run: exactly one of ReadRecord, EnsureEffect, PlanTransition,
// SendCommands, PlanManualTransition, PlanReaction, PlanFollowUps, DoFollowUp and WaitForWork.
type Task interface{ task() }

// ReadRecord reads the record again.
type ReadRecord struct{}

// EnsureEffect works on the effect.
type EnsureEffect struct{ ActiveEffect ActiveEffect }

// PlanTransition plans the effects of the transition that the progress command requests.
type PlanTransition struct{ Request, To string }

// SendCommands sends the next batch.
type SendCommands struct{}

// PlanManualTransition plans the effects of a transition that a person made by hand. BeforeCommand
// says that a progress command waits, and that the effects of the transition by hand come before
// the effects of that command.
type PlanManualTransition struct {
	Cause         exchange.PlanCause
	BeforeCommand bool
}

// PlanReaction plans the effects that follow an external change.
type PlanReaction struct{ ExternalChange exchange.PlanCause }

// PlanFollowUps reads the record and plans the follow-ups of the opportunity.
type PlanFollowUps struct{}

// DoFollowUp does the follow-up that is due.
type DoFollowUp struct{ FollowUp exchange.FollowUp }

// WaitForWork waits for a message. When Until is not zero, the next task is due at Until, even if
// no message arrives.
type WaitForWork struct{ Until time.Time }

func (ReadRecord) task()           {}
func (EnsureEffect) task()         {}
func (PlanTransition) task()       {}
func (SendCommands) task()         {}
func (PlanManualTransition) task() {}
func (PlanReaction) task()         {}
func (PlanFollowUps) task()        {}
func (DoFollowUp) task()           {}
func (WaitForWork) task()          {}

// Conditions are the facts outside the state that influence the next task.
type Conditions struct {
	// MessagesArrived says that messages have arrived that the run has not accepted yet.
	MessagesArrived bool
	// ReadFailed says that the last read of the record failed, because the API did not return the
	// record.
	ReadFailed bool
	// EffectsYield says that commands have priority over all effects of EffectStageAfter.
	EffectsYield bool
}

// Next returns the next task. Commands and other requested work have priority over background work.
// Background work is one of four tasks: a read after a failed read, an effect of EffectStageAfter
// after a failed inspection, a plan, or a follow-up.
func (s *State) Next(now time.Time, c Conditions) Task {
	asked := c.MessagesArrived || s.HasCommandWork()
	if s.ShouldRefresh() && (!c.ReadFailed || !asked) {
		return ReadRecord{}
	}
	if active, due := s.DueEffect(now); due && (!asked || !active.ShouldYield() && (!c.EffectsYield || !active.IsAfter())) {
		return EnsureEffect{ActiveEffect: active}
	}
	manual, isManual := s.manualCause()
	if request, to, due := s.TransitionToPlan(); due {
		if isManual {
			return PlanManualTransition{Cause: manual, BeforeCommand: true}
		}
		return PlanTransition{Request: request, To: to}
	}
	if s.HasBatch() {
		return SendCommands{}
	}
	if isManual {
		return PlanManualTransition{Cause: manual}
	}
	if change, is := s.NextExternalChange(); is {
		return PlanReaction{ExternalChange: change}
	}
	if s.ShouldPlan(now) {
		return PlanFollowUps{}
	}
	if followUp, due := s.DueFollowUp(now); due {
		return DoFollowUp{FollowUp: followUp}
	}
	return WaitForWork{Until: s.NextWakeAt(now)}
}

// HasCommandWork reports whether a transition can be planned or a batch can be sent.
func (s *State) HasCommandWork() bool {
	_, _, move := s.TransitionToPlan()
	return move || s.HasBatch()
}

// IsStopped reports whether a question or a pause stops the opportunity.
func (s *State) IsStopped() bool { return s.Question != nil || s.Paused != nil }

func (s *State) canProceed() bool { return s.ID != "" && !s.IsStopped() }
