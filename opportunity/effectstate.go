package opportunity

import (
	"slices"
	"time"
)

// EffectState holds the effects that are under way and the results of effects.
type EffectState struct {
	// Moves are the waiting moves whose effects are planned. Jobs are the effects under
	// way, Chains counts all chains of effects so far.
	Moves  []Move `json:"moves,omitempty"`
	Jobs   []Job  `json:"jobs,omitempty"`
	Chains int    `json:"chains,omitempty"`
	// PlannedBy is the version of the playbook that planned the last move; 0 is a
	// playbook without a number.
	PlannedBy int `json:"plannedBy,omitempty"`
	// Ledger holds the results of effects, the latest last.
	Ledger []LedgerEntry `json:"ledger,omitempty"`
}

// jobsAt returns the earliest time at which a waiting job is due for an inspection;
// zero when no job waits for a time.
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

// isActive reports whether the effect of the key is under way. An operator may have
// such an effect tried again, or skip it, at any time.
func (s *EffectState) isActive(key string) bool {
	j := s.job(key)
	return j != nil && !j.Done
}

// Calling notes that a call of a service for the effect of the key is under way.
func (s *EffectState) Calling(key string) {
	if j := s.job(key); j != nil {
		j.Calling = true
	}
}

// NotCalling notes that no call of a service is under way, since a run begins.
func (s *EffectState) NotCalling() {
	for i := range s.Jobs {
		s.Jobs[i].Calling = false
	}
}

// nextChain returns a number that no chain had before.
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
