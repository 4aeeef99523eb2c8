package entity

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// EffectState holds the active effects and the results of effects.
type EffectState struct {
	// PlannedTransitions are the waiting transitions whose effects are planned. ActiveEffects are
	// the effects that are not finished. LastChain is the number of the last chain of effects.
	PlannedTransitions []PlannedTransition `json:"moves,omitempty"`
	ActiveEffects      []ActiveEffect      `json:"jobs,omitempty"`
	LastChain          int                 `json:"chains,omitempty"`
	// PlannedByVersion is the version of the playbook that planned the last transition; 0 means a
	// playbook without a number.
	PlannedByVersion int `json:"plannedBy,omitempty"`
	// EffectResults holds the results of effects, the latest last.
	EffectResults []opportunity.EffectResult `json:"ledger,omitempty"`
}

// nextInspectionAt returns the earliest time at which a waiting effect is due for an inspection,
// or zero when no effect waits for a time.
func (s *EffectState) nextInspectionAt(now time.Time) time.Time {
	var at time.Time
	for _, j := range s.ActiveEffects {
		if !j.Done && !j.Calling && j.Problem == "" && j.NotBefore.After(now) && (at.IsZero() || j.NotBefore.Before(at)) {
			at = j.NotBefore
		}
	}
	return at
}

func (s *EffectState) activeEffect(key string) *ActiveEffect {
	at := slices.IndexFunc(s.ActiveEffects, func(j ActiveEffect) bool { return j.Effect.Key == key })
	if at < 0 {
		return nil
	}
	return &s.ActiveEffects[at]
}

func (s *EffectState) removeActiveEffect(key string) {
	s.ActiveEffects = slices.DeleteFunc(s.ActiveEffects, func(j ActiveEffect) bool { return j.Effect.Key == key })
}

// isEffectActive reports whether the effect with the key is not finished. An operator may retry
// or skip such an effect at any time.
func (s *EffectState) isEffectActive(key string) bool {
	j := s.activeEffect(key)
	return j != nil && !j.Done
}

// SetCalling stores that a call of a service for the effect with the key is running.
func (s *EffectState) SetCalling(key string) {
	if j := s.activeEffect(key); j != nil {
		j.Calling = true
	}
}

// ClearCalling stores at the beginning of a run that no call of a service is running.
func (s *EffectState) ClearCalling() {
	for i := range s.ActiveEffects {
		s.ActiveEffects[i].Calling = false
	}
}

// nextChain returns a number that no chain had before.
func (s *EffectState) nextChain() int {
	s.LastChain++
	return s.LastChain
}

func (s *EffectState) plannedTransition(request string) *PlannedTransition {
	at := slices.IndexFunc(s.PlannedTransitions, func(m PlannedTransition) bool { return m.Request == request })
	if at < 0 {
		return nil
	}
	return &s.PlannedTransitions[at]
}

// maxResultObjects is how many objects an effect result names.
const maxResultObjects = 5

// recordEffectResult adds the result of the effect to EffectResults.
func (s *State) recordEffectResult(j ActiveEffect, how opportunity.EffectOutcome, text string, now time.Time) {
	records := slices.Clone(j.UndoEntry.Objects[:min(len(j.UndoEntry.Objects), maxResultObjects)])
	s.EffectResults = append(s.EffectResults, opportunity.EffectResult{
		Key: j.Effect.Key, Kind: j.Effect.Kind, At: now, Outcome: how, Objects: records, Reason: opportunity.Truncate(text, opportunity.MaxErrorLabel),
	})
	if extra := len(s.EffectResults) - opportunity.MaxEffectResults; extra > 0 {
		s.EffectResults = slices.Delete(s.EffectResults, 0, extra)
	}
	s.appendTimeline(now, "effect "+string(how)+": "+string(j.Effect.Kind)+" ("+j.Effect.Key+")")
}
