package workflows

import (
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/opportunity"
)

// maxInspectionAge is the longest time between an inspection of an effect ahead and the use of the
// inspection.
const maxInspectionAge = 20 * time.Second

// inspections contains the inspections of effects ahead, by the key of the effect. An effect ahead
// is a later effect that is inspected together with the current effect. The stored inspections are
// valid until the run sends a request that changes something, or until the revision changes.
type inspections struct {
	found    map[string]activities.InspectResult
	record   *activities.RecordRead
	at       time.Time
	revision int
}

func (r *run) effectsAhead(ctx workflow.Context, active entity.ActiveEffect) []entity.ActiveEffect {
	ahead := r.state.EffectsAhead(active.Effect.Key, workflow.Now(ctx))
	if len(ahead) == 0 || !hasChange(ctx, changeInspectAhead) {
		return nil
	}
	return ahead
}

func (r *run) inspectInput(ctx workflow.Context, active entity.ActiveEffect, ahead []entity.ActiveEffect) activities.EffectInput {
	input := r.effectInput(ctx, active)
	input.ReadRecord = active.IsAfter() && active.Effect.Kind.IsVerifiable() && r.state.PlansOnlyReactions()
	contacts := active.Effect.Kind == opportunity.EffectContacts
	for _, next := range ahead {
		input.Ahead = append(input.Ahead, activities.EffectAhead{Effect: next.Effect, UndoEntry: next.UndoEntry, AfterContacts: contacts})
		contacts = contacts || next.Effect.Kind == opportunity.EffectContacts
		if needsAttendees(next.Effect) {
			input.Attendees = r.state.Attendees
		}
	}
	return input
}

func inspectSummary(active entity.ActiveEffect, ahead []entity.ActiveEffect) string {
	kinds := []string{string(active.Effect.Kind)}
	for _, next := range ahead {
		kinds = append(kinds, string(next.Effect.Kind))
	}
	switch {
	case active.IsUndo():
		return "inspect the undo of the effect: " + kinds[0]
	case len(kinds) == 1:
		return "inspect the effect: " + kinds[0]
	}
	return "inspect the effects: " + strings.Join(kinds, ", ")
}

func (r *run) keepInspections(ctx workflow.Context, revision int, ahead []entity.ActiveEffect, result activities.InspectResult, err error) {
	r.forgetInspections()
	if err != nil {
		return
	}
	r.inspections.at, r.inspections.revision, r.inspections.record = workflow.Now(ctx), revision, result.Read
	for _, found := range result.Ahead {
		if slices.ContainsFunc(ahead, func(j entity.ActiveEffect) bool { return j.Effect.Key == found.Subject }) {
			r.inspections.found[found.Subject] = found
		}
	}
}

// takeInspection returns the inspection of the effect with the given key, if the effect was
// inspected ahead and the inspection is still valid. Each inspection is used once.
func (r *run) takeInspection(ctx workflow.Context, key string) (activities.InspectResult, bool) {
	found, is := r.inspections.found[key]
	delete(r.inspections.found, key)
	return found, is && (found.Request == nil || !entity.NeedsContacts(*found.Request)) && workflow.Now(ctx).Sub(r.inspections.at) <= maxInspectionAge &&
		(r.inspections.revision == r.revision || !hasChange(ctx, changeRevisions))
}

func (r *run) forgetInspections() {
	r.inspections = inspections{found: make(map[string]activities.InspectResult)}
}
