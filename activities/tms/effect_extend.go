package tms

import (
	"context"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/runs"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

type extendHandler struct{ *Activities }

func (h effectHandlers) Extend() effectHandler { return extendHandler{h.activities} }

func (e extendHandler) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{UndoEntry: in.UndoEntry, RunID: runs.CurrentID(ctx)}
	settings := settingsOf[exchange.EnsureReservation](in)
	if settings == nil {
		out.Error = opportunity.Invalidf("the settings of the effect contain no expiry time for the reservation")
		return out, nil
	}
	if in.Undo && notesOf[requestNotes](in.UndoEntry).Inspected == "" { // the effect requested nothing
		return out, nil
	}
	now, err := e.readReservation(ctx, in.Opportunity)
	if err != nil {
		return out, readError(err)
	}
	out.Reservation = now.toReservation()
	until, before := settings.Until, in.UndoEntry.Until
	if in.Undo {
		switch {
		case !now.reserved || !isSameExpiry(now.expiry, until): // expired, or somebody else changed the expiry
		case before.IsZero():
			out.Error = opportunity.Failf(opportunity.Conflict, "the reservation had no expiry time before the effect; the places stay reserved until %s", formatTime(now.expiry))
		case !before.After(e.now()):
			out.Error = opportunity.Failf(opportunity.Conflict, "the effect cannot be undone, because the earlier expiry time %s has passed; the places stay reserved until the new expiry time %s", formatTime(before), formatTime(now.expiry))
		default:
			out.Request = &exchange.EffectRequest{Kind: exchange.RequestExtend, Until: before}
		}
		return out, nil
	}
	switch {
	case now.reserved && isSameExpiry(now.expiry, until):
	case !now.reserved:
		out.Error = opportunity.Failf(opportunity.Rejected, "the opportunity has no reserved places; expired places cannot be reserved again")
	case !until.After(e.now()):
		out.Error = opportunity.Invalidf("the expiry time %s of the reservation is in the past", formatTime(until))
	default:
		out.UndoEntry = now.withOriginalExpiry(in.UndoEntry)
		out.Request = &exchange.EffectRequest{Kind: exchange.RequestExtend, Until: until}
	}
	return out, nil
}

func (e extendHandler) execute(ctx context.Context, in activities.EffectInput) (activities.ExecuteResult, error) {
	if run, other := runs.DetectReset(ctx, in.RunID); other {
		return activities.ExecuteResult{CallResult: runs.ResetResult(run)}, nil
	}
	return e.setExpiry(ctx, in, in.Request.Until), nil
}
