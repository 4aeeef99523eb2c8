package entity

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Journal is the timeline, which run writes it, and the playbook in force.
type Journal struct {
	Timeline []opportunity.TimelineEntry `json:"timeline,omitempty"`

	// Runs counts the runs of the workflow, this one included.
	Runs int `json:"runs"`
	// PreviousRunID is the id of the run that handed the state over, as that run knew it; after a
	// reset it is the id of the run before.
	PreviousRunID string `json:"writer,omitempty"`

	// Playbook are those of the worker that answered last, from its playbook; a lower version
	// than theirs does not count.
	Playbook exchange.PlaybookFeatures `json:"rules,omitzero"`
	// PlaybookChanged says that the playbook changed, so that the run continues as a new run as soon
	// as nothing waits.
	PlaybookChanged bool `json:"renewed,omitempty"`
}

func (s *Journal) appendTimeline(now time.Time, text string) {
	s.Timeline = append(s.Timeline, opportunity.TimelineEntry{At: now, Text: text})
	if extra := len(s.Timeline) - opportunity.MaxTimeline; extra > 0 {
		s.Timeline = slices.Delete(s.Timeline, 0, extra)
	}
}

// applyRequestEnd adds the line about the end of the request.
func (s *Journal) applyRequestEnd(e requestEnd, told string) { s.appendTimeline(e.at, told) }
