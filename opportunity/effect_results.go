package opportunity

import (
	"time"
)

// EffectResult is the result of one effect. It names no person.
type EffectResult struct {
	Key     string        `json:"key"`
	Kind    EffectKind    `json:"kind"`
	At      time.Time     `json:"at"`
	Outcome EffectOutcome `json:"outcome"`
	// Objects are the records that were found or made, the first five.
	Objects []TouchedObject `json:"objects,omitempty"`
	// Reason says why the effect was not done.
	Reason string `json:"reason,omitempty"`
}

// EffectOutcome says how an effect ended.
type EffectOutcome string

// The ends of effects.
const (
	EffectDone      EffectOutcome = "done"      // something was missing, and was done
	EffectUnchanged EffectOutcome = "unchanged" // nothing was missing
	EffectFailed    EffectOutcome = "failed"    // it stopped its move
	EffectUndone    EffectOutcome = "undone"    // it was undone, as far as possible
	EffectAbandoned EffectOutcome = "abandoned" // people decide what to do about it
	EffectSkipped   EffectOutcome = "skipped"   // an operator skipped it
)
