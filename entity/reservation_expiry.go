package entity

import (
	"fmt"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// expiredReservationKey is the key of the attention for reserved places that have expired. Other
// attention of the kind has the id of a request.
const expiredReservationKey = "reservationExpired"

// HasReservationExpired reports whether the reservation of an open opportunity has expired since the
// reservation was as in before. Places that were released before their expiry have not expired.
func (s *State) HasReservationExpired(before opportunity.Reservation, now time.Time) bool {
	return before.Valid && !before.Until.IsZero() && !before.Until.After(now) && !s.Reservation.Valid && !s.Step.Stage.State.IsFinal()
}

// RaiseExpiredReservation raises attention for places that were reserved until the given time.
func (s *State) RaiseExpiredReservation(until, now time.Time) {
	s.RaiseAttention(opportunity.AttentionReservation, expiredReservationKey, fmt.Sprintf(
		"the reserved places expired at %s: other customers can book these places now, and this opportunity cannot reserve places again; win the opportunity while the events have free places, or start another opportunity",
		until.UTC().Format(time.RFC3339)), now)
}

// ClearExpiredReservation removes the attention for expired places when places are reserved again,
// when the opportunity is in a final step, and when the run ends.
func (s *State) ClearExpiredReservation(runEnds bool) {
	if runEnds || s.Reservation.Valid || s.Step.Stage.State.IsFinal() {
		s.clearAttentionFor(opportunity.AttentionReservation, expiredReservationKey)
	}
}
