package tms

import (
	"context"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/runs"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

type releaseHandler struct{ *Activities }

func (h effectHandlers) Release() effectHandler { return releaseHandler{h.activities} }

func (e releaseHandler) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{UndoEntry: in.UndoEntry, RunID: runs.CurrentID(ctx)}
	if in.Undo {
		out.Error = opportunity.Invalidf("an opportunity whose places were released cannot reserve places again")
		return out, nil
	}
	now, err := e.readReservation(ctx, in.Opportunity)
	if err != nil {
		return out, readError(err)
	}
	out.Reservation = now.toReservation()
	// If the API still reports reserved places without an expiry after the release request, the
	// effect assumes that no places are reserved.
	if now.reserved && (!now.expiry.IsZero() || notesOf[requestNotes](in.UndoEntry).Confirmed == "") {
		out.UndoEntry = now.withOriginalExpiry(in.UndoEntry)
		out.Request = &exchange.EffectRequest{Kind: exchange.RequestRelease}
	}
	return out, nil
}

func (e releaseHandler) execute(ctx context.Context, in activities.EffectInput) (activities.ExecuteResult, error) {
	if run, other := runs.DetectReset(ctx, in.RunID); other {
		return activities.ExecuteResult{CallResult: runs.ResetResult(run)}, nil
	}
	return e.setExpiry(ctx, in, e.now()), nil
}
