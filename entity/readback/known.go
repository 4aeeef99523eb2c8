package readback

import (
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Known is what the run knew of the record before the changes of unknown status were sent. The zero
// value is the knowledge of a run that knows no record.
type Known struct {
	// InterestIDs holds the ids of the interests.
	InterestIDs map[opportunity.ID]bool
	StepID      opportunity.ID
	Reservation opportunity.Reservation
	// ExpiryPending says that places were reserved whose expiry may not be set.
	ExpiryPending bool
}

// CanRepeat reports whether to make the change again does no harm. A change that can be repeated is
// sent again when the record does not show it, although the change may have been made.
func CanRepeat(m exchange.Change) bool { return m.Update != nil || m.ReservationChange != nil }
