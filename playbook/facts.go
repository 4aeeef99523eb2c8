package playbook

import (
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Facts are the known facts of one opportunity at one moment. A plan depends only on the facts and
// the playbook. The time zone of a time in the facts does not change the plan.
type Facts struct {
	// Now is the moment of the plan.
	Now time.Time `json:"now"`

	ID      opportunity.ID      `json:"id,omitempty"`
	Details opportunity.Details `json:"details"`
	Step    opportunity.Step    `json:"step"`
	// Entered is when the opportunity entered the step, or zero if this time is unknown. If Entered
	// is zero, the plan has no follow-ups that are due after a time in the step.
	Entered time.Time `json:"entered,omitzero"`
	// LastActivity is the time of the last activity on the opportunity, not counting Oppflow's own
	// follow-ups; zero means unknown.
	LastActivity time.Time `json:"lastActivity,omitzero"`
	// Adopted is when Oppflow adopted the record, if the delays of the record's follow-ups start at
	// the record's last change; otherwise Adopted is zero. The plan spreads follow-ups that were
	// due before Adopted over the days after Adopted.
	Adopted   time.Time  `json:"adopted,omitzero"`
	Interests []Interest `json:"interests,omitempty"`
	// Reservation is the state and the expiry time of the reservation.
	Reservation opportunity.Reservation `json:"reservation,omitzero"`
	// PlacesInDoubt says that it is unknown whether the requested places of an interest are
	// reserved.
	PlacesInDoubt bool `json:"placesInDoubt,omitempty"`
	// Attributes are the attributes of the record, by key.
	Attributes map[string]string `json:"attributes,omitempty"`
	// Done are all follow-ups of the opportunity that were ever done or cancelled, without duplicates.
	Done []exchange.DoneFollowUp `json:"done,omitempty"`
}

// Interest is one interest of the record.
type Interest struct {
	// Item is the id of the item of the interest.
	Item       opportunity.ID           `json:"item"`
	Kind       opportunity.InterestKind `json:"kind"`
	Quantity   int                      `json:"quantity"`
	UnitAmount opportunity.Amount       `json:"unitAmount"`
	Reserve    bool                     `json:"reserve,omitempty"`
	// Start is when the event starts, or zero if the item is no event or the start is unknown.
	Start time.Time `json:"start,omitzero"`
	// StartZone is the IANA name of the time zone of the event, or "" when the zone is unknown. When StartZone is "",
	// texts show Start in the zone of the calendar.
	StartZone string `json:"startZone,omitempty"`
	// ExpiresAt is when training tokens expire: a local time in the zone of the calendar, without
	// the zone, as the API returns it.
	ExpiresAt string `json:"expiresAt,omitempty"`
	// FreePlaces is the number of places of the event that are neither booked nor reserved. FreePlaces is negative for
	// an overbooked event. FreePlaces is nil when the item is no event, and when the number of free places is unknown.
	FreePlaces *int `json:"freePlaces,omitempty"`
}

// value returns the sum of the amounts of all interests, before tax and discounts.
func (f Facts) value() opportunity.Amount {
	var total opportunity.Amount
	for _, interest := range f.Interests {
		total = total.Add(interest.UnitAmount.Times(interest.Quantity))
	}
	return total
}

// nextToStart returns the interest in the future event that starts first, or the zero Interest if
// no start of a future event is known.
func (f Facts) nextToStart() Interest {
	var next Interest
	for _, interest := range f.Interests {
		if interest.Start.After(f.Now) && (next.Start.IsZero() || interest.Start.Before(next.Start)) {
			next = interest
		}
	}
	return next
}

func (f Facts) firstStart() time.Time { return f.nextToStart().Start }

// otherwise is the time zone for an event whose own time zone is unknown.
func (i Interest) localStart(otherwise *time.Location) time.Time {
	if i.Start.IsZero() || i.StartZone == "" {
		return i.Start.In(otherwise)
	}
	zone, err := time.LoadLocation(i.StartZone)
	if err != nil {
		zone = otherwise
	}
	return i.Start.In(zone)
}
