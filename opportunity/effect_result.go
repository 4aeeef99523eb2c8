package opportunity

import (
	"time"
)

// EffectResult is the result of one effect, and names no person.
type EffectResult struct {
	Key     string        `json:"key"`
	Kind    EffectKind    `json:"kind"`
	At      time.Time     `json:"at"`
	Outcome EffectOutcome `json:"outcome"`
	// Objects are the first five objects that the effect found or created.
	Objects []TouchedObject `json:"objects,omitempty"`
	// Reason says why the effect was not done.
	Reason string `json:"reason,omitempty"`
}

// EffectOutcome says how an effect ended.
type EffectOutcome string

// The outcomes of effects.
const (
	EffectDone      EffectOutcome = "done"      // the missing part was done
	EffectUnchanged EffectOutcome = "unchanged" // nothing was missing
	EffectFailed    EffectOutcome = "failed"    // the effect failed, and so its transition failed
	EffectUndone    EffectOutcome = "undone"    // the effect was undone, as much as possible
	EffectAbandoned EffectOutcome = "abandoned" // Oppflow gave the effect up, and people decide what to do
	EffectSkipped   EffectOutcome = "skipped"   // an operator skipped the effect
)
