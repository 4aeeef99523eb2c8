package entity

import (
	"fmt"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// expiredReservationKey is the key of the attention that says that the reservation has expired.
// Other attention of the kind reservation has the id of a request as its key.
const expiredReservationKey = "reservationExpired"

// HasReservationExpired reports whether the reservation of an open opportunity was valid in the
// state before and has expired since. A reservation that was released before its expiry time has
// not expired.
func (s *State) HasReservationExpired(before opportunity.Reservation, now time.Time) bool {
	return before.Valid && !before.Until.IsZero() && !before.Until.After(now) && !s.Reservation.Valid && !s.Step.Stage.State.IsFinal()
}

// RaiseExpiredReservation raises attention, because the reservation expired at the time until.
func (s *State) RaiseExpiredReservation(until, now time.Time) {
	s.RaiseAttention(opportunity.AttentionReservation, expiredReservationKey, fmt.Sprintf(
		"the reserved places expired at %s: other customers can book these places now, and this opportunity cannot reserve places again; win the opportunity while the events have free places, or start another opportunity",
		until.UTC().Format(time.RFC3339)), now)
}

// ClearExpiredReservation removes the attention about the expired reservation in three cases:
// places are reserved again, the opportunity is in a final step, or the run ends.
func (s *State) ClearExpiredReservation(runEnds bool) {
	if runEnds || s.Reservation.Valid || s.Step.Stage.State.IsFinal() {
		s.clearAttentionFor(opportunity.AttentionReservation, expiredReservationKey)
	}
}
