package tms

import (
	"cmp"
	"context"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// ensureReserve holds places for the interests in events.
type ensureReserve struct{ *Activities }

// letGo is how long places stay held after the effect is undone. If they ended at once,
// there would be no time to keep them, and the opportunity cannot hold places again.
const letGo = time.Hour

func (e ensureReserve) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{Trace: in.Trace, Run: runOf(ctx)}
	if in.Effect.Reserve == nil {
		out.Error = opportunity.Invalidf("the effect says nothing of until when places are to be held")
		return out, nil
	}
	if in.Undo && in.Trace.Values[keptLooked] == "" { // the effect requested nothing
		return out, nil
	}
	interests := inEvents(in.Interests)
	if !in.Undo && len(interests) == 0 {
		return out, nil
	}
	now, err := e.places(ctx, in.Opportunity)
	if err != nil {
		return out, reading(err)
	}
	out.Reservation = now.reservation()
	if in.Undo {
		e.undo(&out, in, now)
		return out, nil
	}
	until := in.Effect.Reserve.Until
	switch {
	case now.held && !now.until.Before(until.Add(-opportunity.ExpiryTolerance)):
	case now.spent:
		out.Error = opportunity.Failf(opportunity.Rejected, "the places of the opportunity lapsed or were given back at %s, and it can hold none again", stamp(now.until))
	case !until.After(e.now()):
		out.Error = opportunity.Invalidf("places were to be held until %s, which has passed", stamp(until))
	case !now.held && in.Trace.Values[keptAsked] != "":
		// A retry by an operator is deliberate: the obstacle may be gone.
		out.Trace = keep(in.Trace, keptAsked, "")
		out.Error = opportunity.Failf(opportunity.Rejected, "the API answered that it held places, and none are held: an event may have too few left, or the opportunity may have held some before and lost them")
	default:
		out.Trace = now.looked(in.Trace)
		out.Act = &opportunity.Act{Kind: opportunity.ActHold, IDs: interests, Until: until}
	}
	return out, nil
}

// undo lets the places lapse soon, where the opportunity holds only the places of the
// effect.
func (e ensureReserve) undo(out *activities.InspectResult, in activities.EffectInput, now places) {
	back, _ := time.Parse(time.RFC3339, in.Trace.Values[keptBack]) // zero where there is none yet
	if back.IsZero() {
		back = e.now().Add(letGo).UTC().Truncate(time.Second)
	}
	switch ours := in.Effect.Reserve.Until; {
	case !now.held:
	case !now.until.IsZero() && !now.until.After(back.Add(opportunity.ExpiryTolerance)):
	case !in.Trace.Until.IsZero():
		out.Error = opportunity.Failf(opportunity.Conflict, "places were held before already, and all would be given back together; they stay held until %s", stamp(now.until))
	case !now.until.IsZero() && !near(now.until, ours):
		out.Error = opportunity.Failf(opportunity.Conflict, "somebody else has set until when the places are held since; they stay held until %s", stamp(now.until))
	default:
		out.Trace = keep(in.Trace, keptBack, stamp(back))
		out.Act = &opportunity.Act{Kind: opportunity.ActExtend, Until: back}
	}
}

func (e ensureReserve) carryOut(ctx context.Context, in activities.EffectInput) (activities.CarryOutResult, error) {
	if run, other := anotherRun(ctx, in.Run); other {
		return activities.CarryOutResult{Sending: reset(run)}, nil
	}
	if in.Act.Kind == opportunity.ActExtend {
		return e.lapseAt(ctx, in, in.Act.Until), nil
	}
	ids := make([]string, len(in.Act.IDs))
	for i, id := range in.Act.IDs {
		ids[i] = string(id)
	}
	held, err := e.api.HoldPlaces(e.inTime(ctx), administrate.HoldPlaces{
		OpportunityID: string(in.Opportunity), InterestIDs: ids, Until: in.Act.Until.UTC().Truncate(time.Second),
	})
	return asked(in, cmp.Or(err, held.Reserve, held.Extend)), nil
}

// inEvents returns the ids of the interests in events.
func inEvents(interests []opportunity.Held) []opportunity.ID {
	var ids []opportunity.ID
	for _, held := range interests {
		kind := cmp.Or(held.Kind, (opportunity.Interest{Item: held.Item}).ResolvedKind())
		if kind == opportunity.Event && held.ID != "" {
			ids = append(ids, held.ID)
		}
	}
	return ids
}

// stamp formats a time for the texts and traces of effects.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "an unknown time"
	}
	return t.UTC().Format(time.RFC3339)
}
