package opportunity

import (
	"slices"
	"time"
)

// LedgerEntry says what became of one effect. It names no person.
type LedgerEntry struct {
	Key  string     `json:"key"`
	Kind EffectKind `json:"kind"`
	At   time.Time  `json:"at"`
	How  EffectEnd  `json:"how"`
	// Records are those that were found or made, the first five.
	Records []Record `json:"records,omitempty"`
	// Text says why, where it was not done.
	Text string `json:"text,omitempty"`
}

// EffectEnd says how an effect ended.
type EffectEnd string

// The ends of effects.
const (
	EffectDone    EffectEnd = "done"    // something was missing, and was done
	EffectThere   EffectEnd = "there"   // nothing was missing
	EffectFailed  EffectEnd = "failed"  // it stopped its move
	EffectUndone  EffectEnd = "undone"  // it was taken back, as far as it can be
	EffectLeft    EffectEnd = "left"    // what is to be done about it is left to people
	EffectSkipped EffectEnd = "skipped" // an operator let it be
)

// maxLedgerRecords is how many records an entry of the ledger names.
const maxLedgerRecords = 5

// enter writes down what became of the job.
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
