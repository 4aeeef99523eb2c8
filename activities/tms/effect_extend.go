package tms

import (
	"context"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// ensureExtend changes until when the held places are held.
type ensureExtend struct{ *Activities }

func (e ensureExtend) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{Trace: in.Trace, Run: runOf(ctx)}
	if in.Effect.Extend == nil {
		out.Error = opportunity.Invalidf("the effect says nothing of until when places are to be held")
		return out, nil
	}
	if in.Undo && in.Trace.Values[keptLooked] == "" { // the effect requested nothing
		return out, nil
	}
	now, err := e.places(ctx, in.Opportunity)
	if err != nil {
		return out, reading(err)
	}
	out.Reservation = now.reservation()
	until, before := in.Effect.Extend.Until, in.Trace.Until
	if in.Undo {
		switch {
		case !now.held || !near(now.until, until): // lapsed, or set by somebody else since
		case before.IsZero():
			out.Error = opportunity.Failf(opportunity.Conflict, "no expiry was set before; the places stay held until %s", stamp(now.until))
		case !before.After(e.now()):
			out.Error = opportunity.Failf(opportunity.Conflict, "the places were held until %s before, which has passed; they stay held until %s", stamp(before), stamp(now.until))
		default:
			out.Act = &opportunity.Act{Kind: opportunity.ActExtend, Until: before}
		}
		return out, nil
	}
	switch {
	case now.held && near(now.until, until):
	case !now.held:
		out.Error = opportunity.Failf(opportunity.Rejected, "the opportunity holds no places, and what has lapsed cannot be held again")
	case !until.After(e.now()):
		out.Error = opportunity.Invalidf("the places were to be held until %s, which has passed", stamp(until))
	default:
		out.Trace = now.looked(in.Trace)
		out.Act = &opportunity.Act{Kind: opportunity.ActExtend, Until: until}
	}
	return out, nil
}

func (e ensureExtend) carryOut(ctx context.Context, in activities.EffectInput) (activities.CarryOutResult, error) {
	if run, other := anotherRun(ctx, in.Run); other {
		return activities.CarryOutResult{Sending: reset(run)}, nil
	}
	return e.lapseAt(ctx, in, in.Act.Until), nil
}
