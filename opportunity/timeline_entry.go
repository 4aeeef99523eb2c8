package opportunity

import (
	"time"
)

// TimelineEntry is an entry of the timeline, whose text names no person.
type TimelineEntry struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}
