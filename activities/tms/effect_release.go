package tms

import (
	"context"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// ensureRelease gives all places back.
type ensureRelease struct{ *Activities }

func (e ensureRelease) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{Trace: in.Trace, Run: runOf(ctx)}
	if in.Undo {
		out.Error = noUndo("an opportunity whose places were given back can hold none again")
		return out, nil
	}
	now, err := e.places(ctx, in.Opportunity)
	if err != nil {
		return out, reading(err)
	}
	out.Reservation = now.reservation()
	// Where the API names no expiry for held places even after the request, no places are
	// held.
	if now.held && (!now.until.IsZero() || in.Trace.Values[keptAsked] == "") {
		out.Trace = now.looked(in.Trace)
		out.Act = &opportunity.Act{Kind: opportunity.ActRelease}
	}
	return out, nil
}

// carryOut lets the places end now: the API has no other way to give them back.
func (e ensureRelease) carryOut(ctx context.Context, in activities.EffectInput) (activities.CarryOutResult, error) {
	if run, other := anotherRun(ctx, in.Run); other {
		return activities.CarryOutResult{Sending: reset(run)}, nil
	}
	return e.lapseAt(ctx, in, e.now()), nil
}
