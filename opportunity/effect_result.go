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
	// Reason says why the effect was not done, or what an operator should know about the effect
	// result.
	Reason string `json:"reason,omitempty"`
}

// EffectOutcome says how an effect ended.
type EffectOutcome string

// The outcomes of effects.
const (
	EffectDone      EffectOutcome = "done"      // the missing part was done
	EffectUnchanged EffectOutcome = "unchanged" // nothing was missing
	EffectFailed    EffectOutcome = "failed"    // the effect failed, and so its transition failed
	EffectUndone    EffectOutcome = "undone"    // the effect was undone, as far as it can be undone
	EffectAbandoned EffectOutcome = "abandoned" // Oppflow stopped the work on the effect, and a person must decide what to do
	EffectSkipped   EffectOutcome = "skipped"   // an operator skipped the effect
)

// EffectStage says whether an effect is done before its transition, is done later, or is undone.
type EffectStage string

// The stages.
const (
	// EffectStageBefore: the effect must be done before the transition is made.
	EffectStageBefore EffectStage = "before"
	// EffectStageAfter: the effect is done after a transition or an external change, or when a
	// follow-up is due.
	EffectStageAfter EffectStage = "after"
	// EffectStageUndo: the effect is undone.
	EffectStageUndo EffectStage = "undo"
)

// TouchedObject is an object of the TMS that an effect found or created.
type TouchedObject struct {
	ID   ID         `json:"id"`
	Kind ObjectKind `json:"kind"`
	// Created says that the effect created the object. If Created is false, the TMS itself or
	// somebody else created the object.
	Created bool `json:"created,omitempty"`
	// Event is the id of the event of a learner, and Contact is the id of the learner's contact.
	Event   ID `json:"event,omitempty"`
	Contact ID `json:"contact,omitempty"`
	// Reverted says that the effect on the object was undone.
	Reverted bool `json:"reverted,omitempty"`
}

// ObjectKind is the kind of a TouchedObject.
type ObjectKind string

// The kinds of objects.
const (
	ObjectAccount ObjectKind = "account"
	ObjectContact ObjectKind = "contact"
	ObjectLearner ObjectKind = "learner"
	ObjectInvoice ObjectKind = "invoice"
)
