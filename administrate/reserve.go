package administrate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// ReservePlaces reserves places for interests that an opportunity has already (observed, 4.6:
// reservePlacesForInterests). A response without errors proves nothing (observed). An opportunity
// whose reservation was released or has expired gets no places, and the response still has no
// errors. Reserve sends a ReservePlaces together with the expiry and reads the reservations back.
type ReservePlaces struct {
	InterestIDs []string
}

func (r ReservePlaces) build(b *builder) opportunityMutation {
	b.location += ": ReservePlaces"
	b.checkEntryCount("InterestIDs", len(r.InterestIDs))
	ids := make([]string, len(r.InterestIDs))
	for i, id := range r.InterestIDs {
		ids[i] = b.bindRequired(fmt.Sprintf("InterestIDs[%d]", i), "interest", "ID", id)
	}
	return opportunityMutation{field: "reservePlacesForInterests", input: object{"interestIds: " + list(ids)}}
}

// Reserve describes a reservation of places for interests of one opportunity until a time.
type Reserve struct {
	OpportunityID string
	InterestIDs   []string  // at least 1; more than MaxEntries need several mutations
	Until         time.Time // the expiry of all reserved places of the opportunity
}

// ReserveResult is the result of a Reserve.
type ReserveResult struct {
	// Reserve is the first error of the ReservePlaces mutations, and Extend is the error of the
	// ExtendReservations. Both are like MutationResult.Err. The API executes the ExtendReservations
	// even when a ReservePlaces failed.
	Reserve, Extend error
	// Reservations are the reservations that the response contains. If Reservations is nil, read
	// the opportunity.
	Reservations *Reservations
}

// reserveTolerance is the largest accepted difference between the expiry in the response and the
// requested expiry. The vendor's own check uses the same value (observed, 4.6).
const reserveTolerance = 5 * time.Minute

// IsConfirmed reports whether the reservations that were read back prove that the opportunity has
// reserved places until the requested time. IsConfirmed makes the vendor's own check (observed,
// 4.6). Neither the reserving nor the extending mutation may have an error, and the reservation
// must be valid. The expiry must be in the future and within 5 minutes of the requested time. The
// API confirms the opportunity as a whole, not each interest.
func (h ReserveResult) IsConfirmed(until, now time.Time) bool {
	return h.Reserve == nil && h.Extend == nil && h.Reservations != nil && h.Reservations.Valid &&
		h.Reservations.Until != nil && h.Reservations.Until.After(now) &&
		h.Reservations.Until.Sub(until).Abs() <= reserveTolerance
}

// Reserve reserves places and sets their expiry, in this order in one request, and reads the
// reservations back. Check Reservations even with a nil error, because the absence of errors alone
// proves nothing. A returned error applies to all mutations.
func (c *Client) Reserve(ctx context.Context, h Reserve) (ReserveResult, error) {
	var mutations []Mutation
	for ids := range slices.Chunk(h.InterestIDs, MaxEntries) {
		mutations = append(mutations, ReservePlaces{InterestIDs: ids})
	}
	if len(mutations) == 0 {
		mutations = append(mutations, ReservePlaces{}) // Apply then reports what is missing
	}
	mutations = append(mutations, ExtendReservations{OpportunityID: h.OpportunityID, Until: h.Until})
	answers, err := c.Apply(ctx, mutations)
	if err != nil {
		return ReserveResult{}, err
	}
	last := answers[len(answers)-1]
	held := ReserveResult{Extend: last.Err}
	for _, reserve := range answers[:len(answers)-1] {
		held.Reserve = cmp.Or(held.Reserve, reserve.Err)
	}
	if last.Opportunity != nil {
		held.Reservations = &last.Opportunity.Reservations
	}
	return held, nil
}
