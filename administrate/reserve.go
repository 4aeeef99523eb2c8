package administrate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// ReservePlaces reserves places for interests that are already on the record with the mutation
// reservePlacesForInterests (observed, API notes 4.6). A response without errors does not prove
// that the places are reserved (observed). If the opportunity's reservation was released or has
// expired, the API reserves no places and still returns no errors.
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

// Reserve is the input of Client.Reserve: the interests of one opportunity that need reserved
// places, and the expiry of the places.
type Reserve struct {
	OpportunityID string
	InterestIDs   []string  // at least 1 interest; for more than MaxEntries interests, Reserve sends several mutations
	Until         time.Time // the expiry time for all reserved places of the opportunity
}

// ReserveResult is the result of Client.Reserve.
type ReserveResult struct {
	// Reserve is the first error of the mutations ReservePlaces. Extend is the error of the
	// mutation ExtendReservations. Reserve and Extend are nil or have one of the error types of
	// MutationResult.Err. The API executes the ExtendReservations even if a ReservePlaces of the
	// same request failed.
	Reserve, Extend error
	// Reservations are the opportunity's reservations in the response to the ExtendReservations. If
	// Reservations is nil, the caller must read the opportunity.
	Reservations *Reservations
}

// reserveTolerance is the largest accepted difference between the expiry in the response and the
// requested expiry. Administrate's own code accepts the same difference (observed, API notes 4.6).
const reserveTolerance = 5 * time.Minute

// IsConfirmed reports whether the Reservations in the response prove that places are reserved until
// the requested time. Administrate's own code makes the same check (observed, API notes 4.6).
// IsConfirmed returns true only if the expiry is in the future and differs from the requested time
// by at most 5 minutes. The response does not say for which interests places are reserved.
func (h ReserveResult) IsConfirmed(until, now time.Time) bool {
	return h.Reserve == nil && h.Extend == nil && h.Reservations != nil && h.Reservations.Valid &&
		h.Reservations.Until != nil && h.Reservations.Until.After(now) &&
		h.Reservations.Until.Sub(until).Abs() <= reserveTolerance
}

// Reserve sends one request that first reserves places and then sets the expiry time of the places.
// The caller must check the result with IsConfirmed, because a response without errors does not
// prove that places are reserved. An error that Reserve returns as its second result applies to all
// mutations of the request.
func (c *Client) Reserve(ctx context.Context, h Reserve) (ReserveResult, error) {
	var mutations []Mutation
	for ids := range slices.Chunk(h.InterestIDs, MaxEntries) {
		mutations = append(mutations, ReservePlaces{InterestIDs: ids})
	}
	if len(mutations) == 0 {
		mutations = append(mutations, ReservePlaces{})
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
