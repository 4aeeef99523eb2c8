package entity

import (
	"fmt"
	"slices"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// expiredReservationKey is the key of the attention that says that the reservation has expired.
// Other attention of the kind reservation has the id of a request or of an interest as its key.
const expiredReservationKey = "reservationExpired"

// HasReservationExpired reports whether the earlier reservation, before, was valid and has expired
// while the opportunity is open. A reservation that was released before its expiry time has not
// expired.
func (s *State) HasReservationExpired(before opportunity.Reservation, now time.Time) bool {
	return before.Valid && !before.Until.IsZero() && !before.Until.After(now) && !s.Reservation.Valid && !s.Step.Stage.State.IsFinal()
}

// RaiseExpiredReservation raises attention, because the reservation expired at the time until.
func (s *State) RaiseExpiredReservation(until, now time.Time) {
	s.RaiseAttention(opportunity.AttentionReservation, expiredReservationKey, fmt.Sprintf(
		"the reserved places expired at %s: other customers can book these places now, and this opportunity cannot reserve places again; win the opportunity while the events have free places, or start another opportunity",
		until.UTC().Format(time.RFC3339)), now)
}

// ClearExpiredReservation removes the attention about the expired reservation when places are
// reserved again. In a final step, and at the end of the run, ClearExpiredReservation also removes
// all attention about the places of single interests.
func (s *State) ClearExpiredReservation(runEnds bool) {
	isOver := runEnds || s.Step.Stage.State.IsFinal()
	if isOver || s.Reservation.Valid {
		s.clearAttentionFor(opportunity.AttentionReservation, expiredReservationKey)
	}
	if isOver {
		s.Attention = slices.DeleteFunc(s.Attention, s.isPlacesAttention)
	}
}

// isPlacesAttention reports whether the attention is about the places of one interest.
func (s *State) isPlacesAttention(a opportunity.Attention) bool {
	return a.Kind == opportunity.AttentionReservation && s.interestIndex(opportunity.ID(a.Request)) >= 0
}

// clearReservationAttention removes the attention about the reservation, because the reservation is
// valid. A reservation does not show on which events places are reserved, so the attention about
// the places of one interest stays.
func (s *State) clearReservationAttention() {
	s.Attention = slices.DeleteFunc(s.Attention, func(a opportunity.Attention) bool {
		return a.Kind == opportunity.AttentionReservation && !s.isPlacesAttention(a)
	})
}

func (s *RecordState) interestIndex(id opportunity.ID) int {
	return slices.IndexFunc(s.Interests, func(held opportunity.RecordedInterest) bool { return held.ID == id })
}

// setPlaces stores whether the places of an interest are reserved. If the opportunity has a
// reservation, setPlaces raises attention about places that are not known to be reserved.
func (s *State) setPlaces(known exchange.InterestPlaces, now time.Time) {
	at := s.interestIndex(known.Interest)
	if at < 0 {
		return
	}
	held := &s.Interests[at]
	held.Places = known.State
	s.clearAttentionFor(opportunity.AttentionReservation, string(held.ID))
	if !s.HasReservation() || !known.State.IsDoubtful() {
		return
	}
	text := "it is not known whether the places are reserved"
	if known.State == opportunity.PlacesNotHeld {
		text = "the places are not reserved"
	}
	s.RaiseAttention(opportunity.AttentionReservation, string(held.ID), fmt.Sprintf(
		"%s: %d on event %s; Oppflow requested the places, but the reservation of the opportunity does not show on which event places are reserved; check the event in the TMS. Answer skip with the interest's id to remove this entry",
		text, held.Quantity, held.Item), now)
}

// soleReservation returns the valid reservation of a record with one interest in an event. The
// reservation of a record with only one interest in an event contains only places of this interest.
// soleReservation returns nil for any other record.
func soleReservation(record exchange.Snapshot) *opportunity.Reservation {
	events := 0
	for _, ref := range record.Interests {
		if ref.Item.Type() == opportunity.TypeEvent {
			events++
		}
	}
	if events != 1 || !record.Reservation.Valid {
		return nil
	}
	return &record.Reservation
}

// confirmSolePlaces stores that the requested places are reserved, if the reservation is valid and
// the opportunity has only one interest in an event.
func (s *State) confirmSolePlaces() {
	sole := -1
	for i, held := range s.Interests {
		if !held.Reserve && held.Kind != opportunity.Event {
			continue
		}
		if sole >= 0 {
			return
		}
		sole = i
	}
	if sole >= 0 && s.Interests[sole].Places == opportunity.PlacesNotKnown {
		s.Interests[sole].Places = opportunity.PlacesHeld
		s.clearAttentionFor(opportunity.AttentionReservation, string(s.Interests[sole].ID))
	}
}
