package opportunity

import (
	"slices"
	"time"
)

// maxResultObjects is how many records an entry of the ledger names.
const maxResultObjects = 5

// recordEffectResult adds the result of the job to the ledger.
func (s *State) recordEffectResult(j ActiveEffect, how EffectOutcome, text string, now time.Time) {
	records := slices.Clone(j.UndoEntry.Objects[:min(len(j.UndoEntry.Objects), maxResultObjects)])
	s.EffectResults = append(s.EffectResults, EffectResult{
		Key: j.Effect.Key, Kind: j.Effect.Kind, At: now, Outcome: how, Objects: records, Reason: truncate(text, MaxErrorLabel),
	})
	if extra := len(s.EffectResults) - MaxEffectResults; extra > 0 {
		s.EffectResults = slices.Delete(s.EffectResults, 0, extra)
	}
	s.appendTimeline(now, "effect "+string(how)+": "+string(j.Effect.Kind)+" ("+j.Effect.Key+")")
}
