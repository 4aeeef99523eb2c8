package audit

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Record is an opportunity in the tables of the sandbox.
type Record struct {
	ID opportunity.ID `json:"id"`
	// ReferenceTag is the reference that the record's reference tag contains; "" if the record has
	// no reference tag.
	ReferenceTag opportunity.Reference  `json:"mark,omitempty"`
	Name         string                 `json:"name"`
	Account      opportunity.ID         `json:"account,omitempty"`
	Currency     string                 `json:"currency"`
	Step         string                 `json:"step"`
	State        opportunity.StageState `json:"state"`
	// ReservedUntil is when the reserved places expire; nil if no expiry time was set.
	ReservedUntil *time.Time `json:"until,omitempty"`
	// Interests are the interests of the record, in the order of their creation.
	Interests []Interest `json:"interests"`
}

// Interest is an interest in the tables of the sandbox.
type Interest struct {
	ID opportunity.ID `json:"id"`
	// Key numbers the interests of all records in the order of their creation.
	Key int64 `json:"key"`
	Content
	People []Person `json:"people,omitempty"`
}

// Content is the data by which the auditor matches a requested interest with an interest of the
// record.
type Content struct {
	Item     opportunity.ID `json:"item"`
	Quantity int            `json:"quantity"`
	// UnitAmount is in hundredths of the currency unit.
	UnitAmount int64 `json:"unitAmount"`
	Reserve    bool  `json:"reserve,omitempty"`
	// Learners is the number of people that the interest names.
	Learners int `json:"learners,omitempty"`
}

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
