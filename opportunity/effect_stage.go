package opportunity

// EffectStage says what a job is for.
type EffectStage string

// The stages.
const (
	// EffectStageBefore: the effect must stand before a move is made.
	EffectStageBefore EffectStage = "before"
	// EffectStageAfter: the effect comes after a move or an outside event, or when a follow-up
	// is due.
	EffectStageAfter EffectStage = "after"
	// EffectStageUndo: the effect is undone.
	EffectStageUndo EffectStage = "undo"
)
