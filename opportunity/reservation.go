package opportunity

import (
	"time"
)

// PlacesState says whether the places that were requested for one interest are reserved, while the
// reservation of the opportunity is valid. "" means that Oppflow requested no places, or that
// nothing is known of the places.
type PlacesState string

// The states of requested places.
const (
	// PlacesHeld: the places are reserved on the event of the interest.
	PlacesHeld PlacesState = "held"
	// PlacesNotHeld: the places are not reserved.
	PlacesNotHeld PlacesState = "notHeld"
	// PlacesNotKnown: the API does not show whether the places are reserved.
	PlacesNotKnown PlacesState = "notKnown"
)

// IsDoubtful reports whether requested places are not reserved or may not be reserved.
func (p PlacesState) IsDoubtful() bool { return p == PlacesNotHeld || p == PlacesNotKnown }

// Reservation is the known state of the places that are reserved for the opportunity.
type Reservation struct {
	// Valid says whether the API shows the places as reserved.
	Valid bool `json:"valid"`
	// Until is the expiry time of the reservation, or zero when the API shows no expiry time.
	Until time.Time `json:"until,omitzero"`
}
