package playbook

import (
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Facts are the known facts of one opportunity at one moment. A plan depends on nothing but the facts and the
// playbook. Times are moments; their zones make no difference.
type Facts struct {
	// Now is the moment of the plan.
	Now time.Time `json:"now"`

	ID      opportunity.ID      `json:"id,omitempty"`
	Details opportunity.Details `json:"details"`
	Step    opportunity.Step    `json:"step"`
	// Entered is when the opportunity entered the step. Entered is zero when that time is unknown;
	// no follow-up counts from a zero Entered.
	Entered time.Time `json:"entered,omitzero"`
	// LastActivity is when anything last happened, except Oppflow's own follow-ups. LastActivity
	// is zero when that time is unknown.
	LastActivity time.Time `json:"lastActivity,omitzero"`
	// Adopted is when the record was adopted. Adopted is zero unless follow-ups count from the time
	// of the record's last change. The plan spreads follow-ups that were due before Adopted over
	// the next days.
	Adopted   time.Time  `json:"adopted,omitzero"`
	Interests []Interest `json:"interests,omitempty"`
	// Reservation is the state and the expiry time of the reservation.
	Reservation opportunity.Reservation `json:"reservation,omitzero"`
	// Attributes are the attributes of the record, by key.
	Attributes map[string]string `json:"attributes,omitempty"`
	// Done are the follow-ups that were done or cancelled over the opportunity's whole life, each once.
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
	// Start is when the event starts. Start is zero for other kinds and when that time is
	// unknown.
	Start time.Time `json:"start,omitzero"`
	// StartZone is the IANA name of the time zone of the event; "" when the zone is unknown. Texts
	// then show Start in the zone of the calendar.
	StartZone string `json:"startZone,omitempty"`
	// ExpiresAt is when training tokens expire. ExpiresAt is a local time without a zone, as the
	// API returns it, in the zone of the calendar.
	ExpiresAt string `json:"expiresAt,omitempty"`
	// FreePlaces is the number of places of the event that are neither booked nor reserved.
	// FreePlaces is negative for an overbooked event. FreePlaces is nil for other kinds and when
	// the number is unknown.
	FreePlaces *int `json:"freePlaces,omitempty"`
}

// value returns the sum over the interests, before tax and discounts.
func (f Facts) value() opportunity.Amount {
	var total opportunity.Amount
	for _, interest := range f.Interests {
		total = total.Add(interest.UnitAmount.Times(interest.Quantity))
	}
	return total
}

// nextToStart returns the interest whose event starts first, among the events that have not started
// yet. nextToStart returns the zero Interest when no start is known.
func (f Facts) nextToStart() Interest {
	var next Interest
	for _, interest := range f.Interests {
		if interest.Start.After(f.Now) && (next.Start.IsZero() || interest.Start.Before(next.Start)) {
			next = interest
		}
	}
	return next
}

// firstStart returns the start of the first event that has not started yet, or zero when none is known.
func (f Facts) firstStart() time.Time { return f.nextToStart().Start }

// localStart returns the start of the event as a time in the zone of the event; in the given zone when the zone
// of the event is unknown.
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
