package opportunity

import (
	"slices"
	"time"
)

// EffectState is what is under way of effects, and what became of them.
type EffectState struct {
	// Moves are those that wait and whose effects are planned, Jobs the effects that
	// are under way, Chains how many chains of effects there were.
	Moves  []Move `json:"moves,omitempty"`
	Jobs   []Job  `json:"jobs,omitempty"`
	Chains int    `json:"chains,omitempty"`
	// PlannedBy is the number of the version of the playbook by which the last move was
	// planned; 0 is a playbook without a number.
	PlannedBy int `json:"plannedBy,omitempty"`
	// Ledger says what became of effects, the latest last.
	Ledger []LedgerEntry `json:"ledger,omitempty"`
}

// jobsAt is when the first of the jobs that wait for a time to come is to be looked
// at; zero when none does.
func (s *EffectState) jobsAt(now time.Time) time.Time {
	var at time.Time
	for _, j := range s.Jobs {
		if !j.Done && !j.Calling && j.Problem == "" && j.NotBefore.After(now) && (at.IsZero() || j.NotBefore.Before(at)) {
			at = j.NotBefore
		}
	}
	return at
}

func (s *EffectState) job(key string) *Job {
	at := slices.IndexFunc(s.Jobs, func(j Job) bool { return j.Effect.Key == key })
	if at < 0 {
		return nil
	}
	return &s.Jobs[at]
}

// drop forgets the job.
func (s *EffectState) drop(key string) {
	s.Jobs = slices.DeleteFunc(s.Jobs, func(j Job) bool { return j.Effect.Key == key })
}

// isActive reports whether the effect of the key is under way: an operator may have
// it tried again, or leave it, at any time.
func (s *EffectState) isActive(key string) bool {
	j := s.job(key)
	return j != nil && !j.Done
}

// Calling notes that a service is being called for the effect of the key.
func (s *EffectState) Calling(key string) {
	if j := s.job(key); j != nil {
		j.Calling = true
	}
}

// NotCalling notes that no service is being called: a run begins.
func (s *EffectState) NotCalling() {
	for i := range s.Jobs {
		s.Jobs[i].Calling = false
	}
}

// nextChain is a number that no chain had before.
func (s *EffectState) nextChain() int {
	s.Chains++
	return s.Chains
}

func (s *EffectState) moveOf(request string) *Move {
	at := slices.IndexFunc(s.Moves, func(m Move) bool { return m.Request == request })
	if at < 0 {
		return nil
	}
	return &s.Moves[at]
}
