package opportunity

import (
	"time"
)

// Reservation is the known state of the places held for the opportunity.
type Reservation struct {
	// Valid is the API's own word on the places, read back.
	Valid bool `json:"valid"`
	// Until is when the places expire by themselves; zero when none are held.
	Until time.Time `json:"until,omitzero"`
}
