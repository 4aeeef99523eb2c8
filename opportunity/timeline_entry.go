package opportunity

import (
	"time"
)

// TimelineEntry is an entry of the timeline. Its text names no person.
type TimelineEntry struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}
