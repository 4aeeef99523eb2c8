package opportunity

import (
	"fmt"
	"slices"
	"time"
)

// Move is a waiting progress whose effects are planned.
type Move struct {
	Request string `json:"request"`
	// Chain is the number of its effects.
	Chain int `json:"chain"`
	// After are the effects to come after it.
	After []Effect `json:"after,omitempty"`
}

// nextMove returns the next command of the queue when it is a move with planned
// effects.
func (s *State) nextMove() *Move {
	if len(s.Queue) == 0 || s.Queue[0].Verb != VerbProgress {
		return nil
	}
	return s.moveOf(s.Queue[0].Request)
}

// moveWaits reports whether the next command is a move that cannot be made yet: its
// effects are not planned, or the effects before it do not stand.
func (s *State) moveWaits() bool {
	if len(s.Queue) == 0 || s.Queue[0].Verb != VerbProgress {
		return false
	}
	move := s.nextMove()
	if move == nil {
		return s.Rules.Moves
	}
	return slices.ContainsFunc(s.Jobs, func(j Job) bool { return j.Chain == move.Chain && j.Stage == JobBefore && !j.Done })
}

// MoveToPlan returns the next move and its target, when its effects are not planned
// yet.
func (s *State) MoveToPlan() (request, to string, due bool) {
	if !s.mayAct() || !s.Rules.Moves ||
		len(s.Queue) == 0 || s.Queue[0].Verb != VerbProgress || s.nextMove() != nil {
		return "", "", false
	}
	c, err := s.Queue[0].command()
	progress, ok := c.(Progress)
	if err != nil || !ok {
		return "", "", false
	}
	return s.Queue[0].Request, progress.To, true
}

// MovePlanned stores the planned effects of a move.
func (s *State) MovePlanned(request string, plan Plan, now time.Time) {
	s.tell(plan, now)
	move := Move{Request: request, After: plan.After}
	if len(plan.Before)+len(plan.After) > 0 {
		move.Chain = s.nextChain()
	}
	s.startChain(JobBefore, move.Chain, plan.Before, now)
	s.Moves = append(s.Moves, move)
	s.PlannedBy = plan.Version
}

// IsUnplanned reports whether the batch holds a move without planned effects. Such a
// move exists when the last playbook that the state saw has no effects.
func (s *State) IsUnplanned(batch []Mutation) bool {
	return slices.ContainsFunc(batch, func(m Mutation) bool { return m.Progress != nil && s.moveOf(m.Request) == nil })
}

// failMove ends the move whose earlier effect failed: effects that were done are
// undone, the last one first.
func (s *State) failMove(job Job, why string, now time.Time) {
	at := slices.IndexFunc(s.Moves, func(m Move) bool { return m.Chain == job.Chain })
	if at < 0 {
		return
	}
	request := s.Moves[at].Request
	entry := slices.IndexFunc(s.Queue, func(e Entry) bool { return e.Request == request })
	if entry < 0 {
		return
	}
	failed := s.Queue[entry]
	s.Queue = slices.Delete(s.Queue, entry, entry+1)
	s.finish(failed, &Error{
		Type: Rejected, Label: "Effect Failed", Value: string(job.Effect.Kind),
		Message: fmt.Sprintf("the move was not made, since an effect that comes before it failed: %s: %s", job.Effect.Kind, why),
	}, now)
}

// moveEnded starts the effects after a move that was made, and undoes the effects
// before a move that was not made. reason says why the move was not made.
func (s *State) moveEnded(request string, reason *Error, now time.Time) {
	at := slices.IndexFunc(s.Moves, func(m Move) bool { return m.Request == request })
	if at < 0 {
		return
	}
	move := s.Moves[at]
	s.Moves = slices.Delete(s.Moves, at, at+1)
	belongs := func(j Job) bool { return j.Chain == move.Chain && j.Stage == JobBefore }
	switch {
	case reason == nil:
		s.Jobs = slices.DeleteFunc(s.Jobs, belongs)
		s.startChain(JobAfter, move.Chain, move.After, now)
	case reason.Type == Skipped || reason.Type == Undecided:
		// It may have been made, so taking the effects back would be a guess.
		for _, j := range s.Jobs {
			if belongs(j) && j.Begun {
				s.enter(j, EffectLeft, "nobody knows whether the move was made", now)
				s.Attend(AttentionEffect, j.Effect.Key, "it was done for a move that was skipped, and was left as it is", now)
			}
		}
		s.Jobs = slices.DeleteFunc(s.Jobs, belongs)
	default:
		s.Jobs = slices.DeleteFunc(s.Jobs, func(j Job) bool { return belongs(j) && !j.Begun })
		for i := range s.Jobs {
			if belongs(s.Jobs[i]) {
				s.Jobs[i].Stage, s.Jobs[i].Done, s.Jobs[i].Sent, s.Jobs[i].NotBefore, s.Jobs[i].Errors = JobUndo, false, nil, time.Time{}, 0
			}
		}
	}
}
