package tms

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/people"
	"github.com/oppflow/oppflow/activities/tms/places"
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
	// ReservedBefore is the number of reserved places on each event before the effect's first request,
	// as JSON.
	ReservedBefore string `note:"reservedBefore"`
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
	interests := eventInterests(in.Interests)
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
	isLongEnough := now.reserved && !now.expiry.Before(until.Add(-opportunity.ExpiryTolerance))
	reserved, isAlone, err := e.readReservedFor(ctx, interests, now)
	if err != nil {
		return out, readError(err)
	}
	requested := places.IDs(interests)
	if isLongEnough {
		if requested = e.inspectPlaces(&out, interests, isAlone, reserved); len(requested) == 0 {
			return out, nil
		}
		if now.expiry.After(until) {
			until = now.expiry
		}
	}
	switch {
	case now.expired:
		out.Error = opportunity.Failf(opportunity.Rejected, "the places of the opportunity expired or were released at %s, and the opportunity cannot reserve places again", formatTime(now.expiry))
	case !until.After(e.now()):
		out.Error = opportunity.Invalidf("the expiry time %s of the reservation is in the past", formatTime(until))
	case !now.reserved && notesOf[requestNotes](in.UndoEntry).Confirmed != "":
		out.UndoEntry = forRetry(in.UndoEntry)
		out.Places = places.NoneHeld(interests)
		out.Error = opportunity.Failf(opportunity.Rejected, "the API reported that it reserved places, but no places are reserved: an event may have too few free places, or an earlier reservation may have expired")
	default:
		out.UndoEntry = now.withOriginalExpiry(in.UndoEntry)
		if notes := notesOf[reserveNotes](in.UndoEntry); notes.ReservedBefore == "" { // a request of the effect may have changed the numbers since
			notes.ReservedBefore = reserved.String()
			out.UndoEntry = withNotes(out.UndoEntry, notes)
		}
		out.Request = &exchange.EffectRequest{Kind: exchange.RequestReserve, IDs: requested, Until: until}
	}
	return out, nil
}

func eventInterests(known []opportunity.RecordedInterest) []places.Interest {
	var interests []places.Interest
	for _, held := range known {
		kind := cmp.Or(held.Kind, (opportunity.Interest{Item: held.Item}).ResolvedKind())
		if kind == opportunity.Event && held.ID != "" {
			interests = append(interests, places.Interest{ID: held.ID, Event: places.EventOf(held, nil), Quantity: held.Quantity, Held: held.Places == opportunity.PlacesHeld})
		}
	}
	return interests
}

// readReservedFor reads how many places are reserved on the events of the interests. If the
// opportunity has only one interest in an event, readReservedFor reads nothing, because the
// opportunity's reservation then belongs to this interest.
func (e reserveHandler) readReservedFor(ctx context.Context, interests []places.Interest, now reservationState) (reserved places.Reserved, isAlone bool, err error) {
	if isAlone = len(interests) == 1 && len(now.events) <= 1; isAlone || now.expired {
		return nil, isAlone, nil
	}
	events := make([]opportunity.ID, len(interests))
	for i, one := range interests {
		interests[i].Event = cmp.Or(now.events[one.ID], one.Event)
		events[i] = interests[i].Event
	}
	reserved, err = places.Read(ctx, e.api, events)
	return reserved, false, err
}

// inspectPlaces returns the interests for which the effect must request places, if the reservation
// lasts long enough. After the API confirmed a request for places, inspectPlaces returns nothing:
// the effect fails if places are not held, and ends with a note if it is not known whether places
// are held.
func (e reserveHandler) inspectPlaces(out *activities.InspectResult, interests []places.Interest, isAlone bool, reserved places.Reserved) []opportunity.ID {
	states := places.States(interests, isAlone, places.ParseReserved(notesOf[reserveNotes](out.UndoEntry).ReservedBefore), reserved)
	missing, notHeld := places.Missing(states)
	if len(missing) > 0 && notesOf[requestNotes](out.UndoEntry).Confirmed == "" {
		return missing
	}
	out.Places = states
	switch {
	case len(notHeld) > 0:
		out.UndoEntry = forRetry(out.UndoEntry)
		out.Error = opportunity.Failf(opportunity.Rejected, "the API reported that it reserved places, but no places are reserved for %s: an event may have too few free places", places.Describe(notHeld))
	case len(missing) > 0:
		out.Note = fmt.Sprintf("Oppflow requested places, but it is not known whether places are reserved for %s; check the events in the TMS", places.Describe(missing))
	}
	return nil
}

// forRetry returns the undo entry of an effect that failed although the API confirmed its request. If
// an operator retries the effect, the worker reads the events and sends the request again, because
// the cause of the failure may be gone.
func forRetry(entry exchange.UndoEntry) exchange.UndoEntry {
	requests, reserve := notesOf[requestNotes](entry), notesOf[reserveNotes](entry)
	requests.Confirmed, reserve.ReservedBefore = "", ""
	return withNotes(withNotes(entry, requests), reserve)
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
	held, err := e.api.Reserve(e.withSendDeadline(ctx), administrate.Reserve{
		OpportunityID: string(in.Opportunity), InterestIDs: people.IDStrings(in.Request.IDs), Until: in.Request.Until.UTC().Truncate(time.Second),
	})
	return confirmedResult(in, cmp.Or(err, held.Reserve, held.Extend)), nil
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return "an unknown time"
	}
	return t.UTC().Format(time.RFC3339)
}
