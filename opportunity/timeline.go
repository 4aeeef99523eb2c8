package opportunity

import (
	"slices"
	"time"
)

// Moment is an entry of the timeline. Its text names no person.
type Moment struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

func (s *State) note(now time.Time, text string) {
	s.Timeline = append(s.Timeline, Moment{At: now, Text: text})
	if extra := len(s.Timeline) - MaxTimeline; extra > 0 {
		s.Timeline = slices.Delete(s.Timeline, 0, extra)
	}
}
