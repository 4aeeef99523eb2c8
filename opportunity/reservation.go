package opportunity

import (
	"time"
)

// Reservation is the known state of the places that are reserved for the opportunity.
type Reservation struct {
	// Valid says whether the API shows the places as reserved.
	Valid bool `json:"valid"`
	// Until is the expiry time of the reservation, or zero when the API shows no expiry time.
	Until time.Time `json:"until,omitzero"`
}
