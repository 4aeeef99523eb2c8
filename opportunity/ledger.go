package opportunity

import (
	"slices"
	"time"
)

// LedgerEntry is the result of one effect. It names no person.
type LedgerEntry struct {
	Key  string     `json:"key"`
	Kind EffectKind `json:"kind"`
	At   time.Time  `json:"at"`
	How  EffectEnd  `json:"how"`
	// Records are the records that were found or made, the first five.
	Records []Record `json:"records,omitempty"`
	// Text says why the effect was not done.
	Text string `json:"text,omitempty"`
}

// EffectEnd says how an effect ended.
type EffectEnd string

// The ends of effects.
const (
	EffectDone    EffectEnd = "done"    // something was missing, and was done
	EffectThere   EffectEnd = "there"   // nothing was missing
	EffectFailed  EffectEnd = "failed"  // it stopped its move
	EffectUndone  EffectEnd = "undone"  // it was undone, as far as possible
	EffectLeft    EffectEnd = "left"    // people decide what to do about it
	EffectSkipped EffectEnd = "skipped" // an operator skipped it
)

// maxLedgerRecords is how many records an entry of the ledger names.
const maxLedgerRecords = 5

// enter adds the result of the job to the ledger.
func (s *State) enter(j Job, how EffectEnd, text string, now time.Time) {
	records := slices.Clone(j.Trace.Records[:min(len(j.Trace.Records), maxLedgerRecords)])
	s.Ledger = append(s.Ledger, LedgerEntry{
		Key: j.Effect.Key, Kind: j.Effect.Kind, At: now, How: how, Records: records, Text: clip(text, MaxKeptLabel),
	})
	if extra := len(s.Ledger) - MaxLedger; extra > 0 {
		s.Ledger = slices.Delete(s.Ledger, 0, extra)
	}
	s.note(now, "effect "+string(how)+": "+string(j.Effect.Kind)+" ("+j.Effect.Key+")")
}
