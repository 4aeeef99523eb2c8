package readback

import (
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Known is what the run knew of the record before the changes of unknown status were sent. The zero
// value of Known means that the run knew no record.
type Known struct {
	InterestIDs map[opportunity.ID]bool
	StepID      opportunity.ID
	Reservation opportunity.Reservation
	// ExpiryPending says that places were reserved, and that their expiry may not be set yet.
	ExpiryPending bool
}

// CanRepeat reports whether a second send of the change does no harm.
func CanRepeat(m exchange.Change) bool { return m.Update != nil || m.ReservationChange != nil }
