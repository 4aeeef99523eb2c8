package tms

import (
	"cmp"
	"context"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/runs"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

type reserveHandler struct{ *Activities }

func (h effectHandlers) Reserve() effectHandler { return reserveHandler{h.activities} }

// undoReleaseDelay is how long places stay reserved after the undo of the effect. During this delay
// a person can still extend the reservation.
const undoReleaseDelay = time.Hour

type reserveNotes struct {
	// ReleaseAt is the time until which the places stay reserved after the undo of the effect.
	ReleaseAt string `note:"back"`
}

func (e reserveHandler) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{UndoEntry: in.UndoEntry, RunID: runs.CurrentID(ctx)}
	settings := settingsOf[exchange.EnsureReservation](in)
	if settings == nil {
		out.Error = opportunity.Invalidf("the settings of the effect contain no expiry time for the reservation")
		return out, nil
	}
	if in.Undo && notesOf[requestNotes](in.UndoEntry).Inspected == "" { // the effect requested nothing
		return out, nil
	}
	interests := eventInterestIDs(in.Interests)
	if !in.Undo && len(interests) == 0 {
		return out, nil
	}
	now, err := e.readReservation(ctx, in.Opportunity)
	if err != nil {
		return out, readError(err)
	}
	out.Reservation = now.toReservation()
	if in.Undo {
		e.inspectUndo(&out, in, now)
		return out, nil
	}
	until := settings.Until
	switch {
	case now.reserved && !now.expiry.Before(until.Add(-opportunity.ExpiryTolerance)):
	case now.expired:
		out.Error = opportunity.Failf(opportunity.Rejected, "the places of the opportunity expired or were released at %s, and the opportunity cannot reserve places again", formatTime(now.expiry))
	case !until.After(e.now()):
		out.Error = opportunity.Invalidf("the expiry time %s of the reservation is in the past", formatTime(until))
	case !now.reserved && notesOf[requestNotes](in.UndoEntry).Confirmed != "":
		// If an operator retries the effect, the worker sends the request again, because the cause
		// of the earlier failure may no longer exist.
		notes := notesOf[requestNotes](in.UndoEntry)
		notes.Confirmed = ""
		out.UndoEntry = withNotes(in.UndoEntry, notes)
		out.Error = opportunity.Failf(opportunity.Rejected, "the API reported that it reserved places, but no places are reserved: an event may have too few free places, or an earlier reservation may have expired")
	default:
		out.UndoEntry = now.withOriginalExpiry(in.UndoEntry)
		out.Request = &exchange.EffectRequest{Kind: exchange.RequestReserve, IDs: interests, Until: until}
	}
	return out, nil
}

// inspectUndo returns a request for an earlier expiry of the places, if only the effect reserved
// places for the opportunity.
func (e reserveHandler) inspectUndo(out *activities.InspectResult, in activities.EffectInput, now reservationState) {
	back, _ := time.Parse(time.RFC3339, notesOf[reserveNotes](in.UndoEntry).ReleaseAt) // zero if the note is not set
	if back.IsZero() {
		back = e.now().Add(undoReleaseDelay).UTC().Truncate(time.Second)
	}
	switch ours := settingsOf[exchange.EnsureReservation](in).Until; {
	case !now.reserved:
	case !now.expiry.IsZero() && !now.expiry.After(back.Add(opportunity.ExpiryTolerance)):
	case !in.UndoEntry.Until.IsZero():
		out.Error = opportunity.Failf(opportunity.Conflict, "the opportunity had reserved places before the effect, and a release would free all places of the opportunity; the places stay reserved until %s", formatTime(now.expiry))
	case !now.expiry.IsZero() && !isSameExpiry(now.expiry, ours):
		out.Error = opportunity.Failf(opportunity.Conflict, "somebody else changed the expiry time after the effect; the places stay reserved until %s", formatTime(now.expiry))
	default:
		out.UndoEntry = withNotes(in.UndoEntry, reserveNotes{ReleaseAt: formatTime(back)})
		out.Request = &exchange.EffectRequest{Kind: exchange.RequestExtend, Until: back}
	}
}

func (e reserveHandler) execute(ctx context.Context, in activities.EffectInput) (activities.ExecuteResult, error) {
	if run, other := runs.DetectReset(ctx, in.RunID); other {
		return activities.ExecuteResult{CallResult: runs.ResetResult(run)}, nil
	}
	if in.Request.Kind == exchange.RequestExtend {
		return e.setExpiry(ctx, in, in.Request.Until), nil
	}
	ids := make([]string, len(in.Request.IDs))
	for i, id := range in.Request.IDs {
		ids[i] = string(id)
	}
	held, err := e.api.Reserve(e.withSendDeadline(ctx), administrate.Reserve{
		OpportunityID: string(in.Opportunity), InterestIDs: ids, Until: in.Request.Until.UTC().Truncate(time.Second),
	})
	return confirmedResult(in, cmp.Or(err, held.Reserve, held.Extend)), nil
}

func eventInterestIDs(interests []opportunity.RecordedInterest) []opportunity.ID {
	var ids []opportunity.ID
	for _, held := range interests {
		kind := cmp.Or(held.Kind, (opportunity.Interest{Item: held.Item}).ResolvedKind())
		if kind == opportunity.Event && held.ID != "" {
			ids = append(ids, held.ID)
		}
	}
	return ids
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return "an unknown time"
	}
	return t.UTC().Format(time.RFC3339)
}
