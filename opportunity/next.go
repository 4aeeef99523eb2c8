package opportunity

import "time"

// A Task is the next work of a run: exactly one of ReadRecord, EnsureEffect, PlanMove,
// SendCommands, PlanReaction, PlanFollowUps, DoFollowUp and Rest.
type Task interface{ task() }

// ReadRecord reads the record again.
type ReadRecord struct{}

// EnsureEffect works on the effect.
type EnsureEffect struct{ Job Job }

// PlanMove plans the effects of the move that the request asks for.
type PlanMove struct{ Request, To string }

// SendCommands sends the next batch.
type SendCommands struct{}

// PlanReaction plans the reaction to an outside event.
type PlanReaction struct{ Occasion Occasion }

// PlanFollowUps looks at the record and plans its follow-ups.
type PlanFollowUps struct{}

// DoFollowUp does the follow-up that is due.
type DoFollowUp struct{ FollowUp FollowUp }

// Rest waits for a message; when Until is not zero, a task is due at that time without a
// message.
type Rest struct{ Until time.Time }

func (ReadRecord) task()    {}
func (EnsureEffect) task()  {}
func (PlanMove) task()      {}
func (SendCommands) task()  {}
func (PlanReaction) task()  {}
func (PlanFollowUps) task() {}
func (DoFollowUp) task()    {}
func (Rest) task()          {}

// Circumstances are the facts outside the state that decide the next task.
type Circumstances struct {
	// Arriving says that messages have arrived and were not accepted yet.
	Arriving bool
	// Unread says that a read of the record was due before, and the API did not return the
	// record.
	Unread bool
}

// Next returns the next task. Commands and other requested work go before the background. The
// background are reads that failed before, effects after a move that were tried before, plans
// and follow-ups.
func (s *State) Next(now time.Time, c Circumstances) Task {
	asked := c.Arriving || s.IsAsked()
	if s.NeedsReading() && (!c.Unread || !asked) {
		return ReadRecord{}
	}
	if job, due := s.DueJob(now); due && (!job.GivesWay() || !asked) {
		return EnsureEffect{Job: job}
	}
	if request, to, due := s.MoveToPlan(); due {
		return PlanMove{Request: request, To: to}
	}
	if s.HasWork() {
		return SendCommands{}
	}
	if occasion, is := s.Occasion(); is {
		return PlanReaction{Occasion: occasion}
	}
	if s.PlansNow(now) {
		return PlanFollowUps{}
	}
	if followUp, due := s.Overdue(now); due {
		return DoFollowUp{FollowUp: followUp}
	}
	return Rest{Until: s.WakeAt(now)}
}

// IsAsked reports whether a command can be worked on.
func (s *State) IsAsked() bool {
	_, _, move := s.MoveToPlan()
	return move || s.HasWork()
}

// IsHeld reports whether a question or a pause stops the opportunity.
func (s *State) IsHeld() bool { return s.Question != nil || s.Paused != nil }

// mayAct reports whether there can be a task at all: there is a record, and neither a question
// nor a pause stops the opportunity.
func (s *State) mayAct() bool { return s.ID != "" && !s.IsHeld() }
