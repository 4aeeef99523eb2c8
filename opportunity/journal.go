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

// Journal is the timeline, which run writes it, and the playbook in force.
type Journal struct {
	Timeline []Moment `json:"timeline,omitempty"`

	// Runs counts the runs of the workflow, this one included.
	Runs int `json:"runs"`
	// Writer is the id of the run that handed the state over, as that run knew it; after a
	// reset it is the id of the run before.
	Writer string `json:"writer,omitempty"`

	// Rules are those of the worker that answered last, from its playbook; a lower version
	// than theirs does not count.
	Rules Rules `json:"rules,omitzero"`
	// Renewed says that the playbook changed, so that the run continues as a new run as soon
	// as nothing waits.
	Renewed bool `json:"renewed,omitempty"`
}

func (s *Journal) note(now time.Time, text string) {
	s.Timeline = append(s.Timeline, Moment{At: now, Text: text})
	if extra := len(s.Timeline) - MaxTimeline; extra > 0 {
		s.Timeline = slices.Delete(s.Timeline, 0, extra)
	}
}

// requestEnded adds the line about the end of the request.
func (s *Journal) requestEnded(e requestEnded, told string) { s.note(e.at, told) }
