package opportunity

import (
	"time"
)

// EffectResult is the result of one effect. It names no person.
type EffectResult struct {
	Key     string        `json:"key"`
	Kind    EffectKind    `json:"kind"`
	At      time.Time     `json:"at"`
	Outcome EffectOutcome `json:"how"`
	// Objects are the records that were found or made, the first five.
	Objects []TouchedObject `json:"records,omitempty"`
	// Reason says why the effect was not done.
	Reason string `json:"text,omitempty"`
}

// EffectOutcome says how an effect ended.
type EffectOutcome string

// The ends of effects.
const (
	EffectDone      EffectOutcome = "done"    // something was missing, and was done
	EffectUnchanged EffectOutcome = "there"   // nothing was missing
	EffectFailed    EffectOutcome = "failed"  // it stopped its move
	EffectUndone    EffectOutcome = "undone"  // it was undone, as far as possible
	EffectAbandoned EffectOutcome = "left"    // people decide what to do about it
	EffectSkipped   EffectOutcome = "skipped" // an operator skipped it
)
