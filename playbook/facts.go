package playbook

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Facts are what is known of one opportunity at one moment: all a plan depends on
// but the playbook. Times are moments; in which zone they are given makes no
// difference.
type Facts struct {
	// Now is the moment the plan is made for.
	Now time.Time `json:"now"`

	ID      opportunity.ID      `json:"id,omitempty"`
	Details opportunity.Details `json:"details"`
	Step    opportunity.Step    `json:"step"`
	// Entered is when the opportunity came into the step; zero when it is unknown,
	// and then nothing is reckoned from it.
	Entered time.Time `json:"entered,omitzero"`
	// LastActivity is when anything last happened that is not Oppflow's own
	// following up; zero when it is unknown.
	LastActivity time.Time  `json:"lastActivity,omitzero"`
	Interests    []Interest `json:"interests,omitempty"`
	// Reservation tells until when places are held.
	Reservation opportunity.Reservation `json:"reservation,omitzero"`
	// Attributes are those of the record, by their keys.
	Attributes map[string]string `json:"attributes,omitempty"`
	// Done are the follow-ups that were done or cancelled over the whole life, each
	// once.
	Done []opportunity.DoneFollowUp `json:"done,omitempty"`
}

// Interest is one interest of the record.
type Interest struct {
	// Item is the id of what it is in.
	Item       opportunity.ID     `json:"item"`
	Kind       opportunity.Kind   `json:"kind"`
	Quantity   int                `json:"quantity"`
	UnitAmount opportunity.Amount `json:"unitAmount"`
	Reserve    bool               `json:"reserve,omitempty"`
	// Start is when the event starts; zero for other kinds and where it is unknown.
	Start time.Time `json:"start,omitzero"`
	// ExpiresAt is when training tokens expire, a local time without a zone as the
	// API has it; it is taken to be in the zone of the calendar.
	ExpiresAt string `json:"expiresAt,omitempty"`
}

// value is the sum over the interests, before tax and discounts.
func (f Facts) value() opportunity.Amount {
	var total opportunity.Amount
	for _, interest := range f.Interests {
		total = total.Add(interest.UnitAmount.Times(interest.Quantity))
	}
	return total
}

// firstStart is when the first event starts that has not yet; zero when none is known.
func (f Facts) firstStart() time.Time {
	var first time.Time
	for _, interest := range f.Interests {
		if start := interest.Start; start.After(f.Now) && (first.IsZero() || start.Before(first)) {
			first = start
		}
	}
	return first
}
