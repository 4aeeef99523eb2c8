package entity

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/entity/manual"
	"github.com/oppflow/oppflow/opportunity"
)

// EffectState contains the active effects and the results of ended effects.
type EffectState struct {
	// PlannedTransitions are the queued progress commands whose effects are planned. ActiveEffects
	// are the effects that are not finished. LastChain is the number of the latest chain; a chain
	// is the effects of one plan.
	PlannedTransitions []PlannedTransition `json:"moves,omitempty"`
	ActiveEffects      []ActiveEffect      `json:"jobs,omitempty"`
	LastChain          int                 `json:"chains,omitempty"`
	// ManualTransition is the transition by hand whose effects are not planned yet; nil when there is
	// none.
	ManualTransition *manual.Transition `json:"manual,omitempty"`
	// PlannedByVersion is the version of the playbook that planned the last transition, or 0 if
	// that playbook had no version.
	PlannedByVersion int `json:"plannedBy,omitempty"`
	// EffectResults contains the results of ended effects, in the order in which the effects ended.
	EffectResults []opportunity.EffectResult `json:"ledger,omitempty"`
}

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

func (s *EffectState) isEffectActive(key string) bool {
	j := s.activeEffect(key)
	return j != nil && !j.Done
}

// SetCalling stores that Oppflow is calling a service for the effect with the given key.
func (s *EffectState) SetCalling(key string) {
	if j := s.activeEffect(key); j != nil {
		j.Calling = true
	}
}

// ClearCalling stores that Oppflow is calling no service, because each run begins without a call.
func (s *EffectState) ClearCalling() {
	for i := range s.ActiveEffects {
		s.ActiveEffects[i].Calling = false
	}
}

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

const maxResultObjects = 5

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
