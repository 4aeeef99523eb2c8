package opportunity

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
