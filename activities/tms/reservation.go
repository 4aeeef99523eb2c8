package tms

import (
	"context"
	"maps"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// reservationState is the API's data about the reserved places of an opportunity. All places
// have one expiry.
type reservationState struct {
	// reserved says that the API reports some places as reserved now. If there is no expiry, the
	// API may report this for an opportunity that never reserved places.
	reserved bool
	// expiry is when the places expire or expired; zero where no expiry is set.
	expiry time.Time
	// expired says that the places have expired or were released, so that the opportunity cannot
	// reserve places again.
	expired bool
}

// toReservation returns the reservation for a view. Places without an expiry count as not
// reserved.
func (p reservationState) toReservation() *opportunity.Reservation {
	return &opportunity.Reservation{Valid: p.reserved && !p.expiry.IsZero(), Until: p.expiry}
}

func (a *Activities) readReservation(ctx context.Context, id opportunity.ID) (reservationState, error) {
	record, err := a.api.Opportunity(ctx, string(id))
	if err != nil {
		return reservationState{}, err
	}
	out := reservationState{reserved: record.Reservations.Valid}
	if until := record.Reservations.Until; until != nil {
		out.expiry, out.expired = until.UTC(), !until.After(a.now())
		out.reserved = out.reserved && !out.expired
	}
	return out, nil
}

// The keys of UndoEntry.Values for effects about places and services. UndoEntry has other
// members for everything else.
const (
	// undoKeyInspected: an inspection read the state before the effect requested anything.
	undoKeyInspected = "looked"
	// undoKeyConfirmed: the API responded that it did what the effect requested.
	undoKeyConfirmed = "asked"
	// undoKeyReleaseAt is until when the places stay reserved after an undo.
	undoKeyReleaseAt = "back"
)

// withUndoValue returns the undo entry with the value added, or removed where value is "". The
// given undo entry stays unchanged.
func withUndoValue(trace exchange.UndoEntry, key, value string) exchange.UndoEntry {
	values := maps.Clone(trace.Values)
	if values == nil {
		values = make(map[string]string)
	}
	if values[key] = value; value == "" {
		delete(values, key)
	}
	trace.Values = values
	return trace
}

// withOriginalExpiry returns the undo entry with the time until which places were reserved
// before the effect. withOriginalExpiry adds this time only once.
func (p reservationState) withOriginalExpiry(trace exchange.UndoEntry) exchange.UndoEntry {
	if trace.Values[undoKeyInspected] != "" {
		return trace
	}
	if p.reserved {
		trace.Until = p.expiry
	}
	return withUndoValue(trace, undoKeyInspected, "yes")
}

// setExpiry sets until when places are reserved. A time that is not in the future releases
// them.
func (a *Activities) setExpiry(ctx context.Context, in activities.EffectInput, until time.Time) activities.ExecuteResult {
	_, err := a.api.ExtendReservations(a.withSendDeadline(ctx), administrate.ExtendReservations{
		OpportunityID: string(in.Opportunity), Until: until.UTC().Truncate(time.Second),
	})
	return confirmedResult(in, err)
}

// confirmedResult returns the result of a request, with undoKeyConfirmed where the request was
// done.
func confirmedResult(in activities.EffectInput, err error) activities.ExecuteResult {
	result := activities.ExecuteResult{CallResult: callResult(err), UndoEntry: in.UndoEntry}
	if err == nil {
		result.UndoEntry = withUndoValue(in.UndoEntry, undoKeyConfirmed, "yes")
	}
	return result
}

func cannotUndoError(why string) *opportunity.Error {
	return opportunity.Invalidf("it cannot be taken back: %s", why)
}
