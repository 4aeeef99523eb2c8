package tms

import (
	"context"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/names"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// All places of an opportunity have the same expiry.
type reservationState struct {
	// If the API shows no expiry, reserved may be true even for an opportunity that never reserved
	// places.
	reserved bool
	// expiry is the time at which the places expire or expired; zero if the API shows no expiry.
	expiry time.Time
	// expired says that the places have expired or were released; in both cases the opportunity
	// cannot reserve places again.
	expired bool
	// events are the events of the record's first hundred interests, by the id of the interest.
	events map[opportunity.ID]opportunity.ID
}

// Places without an expiry count as not reserved.
func (p reservationState) toReservation() *opportunity.Reservation {
	return &opportunity.Reservation{Valid: p.reserved && !p.expiry.IsZero(), Until: p.expiry}
}

func (a *Activities) readReservation(ctx context.Context, id opportunity.ID) (reservationState, error) {
	record, err := a.api.Opportunity(ctx, string(id))
	if err != nil {
		return reservationState{}, err
	}
	out := reservationState{reserved: record.Reservations.Valid, events: make(map[opportunity.ID]opportunity.ID)}
	for _, interest := range record.Interests {
		if names.InterestKind(interest) == opportunity.Event {
			out.events[opportunity.ID(interest.ID)] = opportunity.ID(interest.Item.ID)
		}
	}
	if until := record.Reservations.Until; until != nil {
		out.expiry, out.expired = until.UTC(), !until.After(a.now())
		out.reserved = out.reserved && !out.expired
	}
	return out, nil
}

func (p reservationState) withOriginalExpiry(trace exchange.UndoEntry) exchange.UndoEntry {
	notes := notesOf[requestNotes](trace)
	if notes.Inspected != "" {
		return trace
	}
	if p.reserved {
		trace.Until = p.expiry
	}
	notes.Inspected = "yes"
	return withNotes(trace, notes)
}

// An expiry that is not in the future releases the places.
func (a *Activities) setExpiry(ctx context.Context, in activities.EffectInput, until time.Time) activities.ExecuteResult {
	_, err := a.api.ExtendReservations(a.withSendDeadline(ctx), administrate.ExtendReservations{
		OpportunityID: string(in.Opportunity), Until: until.UTC().Truncate(time.Second),
	})
	return confirmedResult(in, err)
}
