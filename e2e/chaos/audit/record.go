package audit

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Record is an opportunity as the tables of the stand-in have it.
type Record struct {
	ID opportunity.ID `json:"id"`
	// ReferenceTag is the reference the record carries, "" for none.
	ReferenceTag opportunity.Reference  `json:"mark,omitempty"`
	Name         string                 `json:"name"`
	Account      opportunity.ID         `json:"account,omitempty"`
	Currency     string                 `json:"currency"`
	Step         string                 `json:"step"`
	State        opportunity.StageState `json:"state"`
	// ReservedUntil is when the places expire; nil when that was never said.
	ReservedUntil *time.Time `json:"until,omitempty"`
	// Interests are in the order in which they were made.
	Interests []Interest `json:"interests"`
}

// Interest is an interest as the tables have it.
type Interest struct {
	ID opportunity.ID `json:"id"`
	// Key counts the interests of all records in the order in which they were made.
	Key int64 `json:"key"`
	Content
}

// Content is what two interests that were asked for alike have in common.
type Content struct {
	Item     opportunity.ID `json:"item"`
	Quantity int            `json:"quantity"`
	// UnitAmount is in hundredths.
	UnitAmount int64 `json:"unitAmount"`
	Reserve    bool  `json:"reserve,omitempty"`
	// Learners is how many people it names.
	Learners int `json:"learners,omitempty"`
}

// hasReservation reports whether the record holds places at the time.
func (r Record) hasReservation(at time.Time) bool {
	if r.ReservedUntil != nil && !r.ReservedUntil.After(at) {
		return false
	}
	for _, i := range r.Interests {
		if i.Reserve {
			return true
		}
	}
	return false
}
