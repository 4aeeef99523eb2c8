package entity

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Journal holds the timeline, the runs, and the features of the playbook in force.
type Journal struct {
	Timeline []opportunity.TimelineEntry `json:"timeline,omitempty"`

	// Runs counts the runs of the workflow, this one included.
	Runs int `json:"runs"`
	// PreviousRunID is the run id that the previous run stored for itself. When the previous run
	// came from a reset, PreviousRunID may be the id of the run before the reset.
	PreviousRunID string `json:"writer,omitempty"`

	// Playbook holds the features of the playbook of the worker that responded last. A playbook
	// with a lower version is ignored.
	Playbook exchange.PlaybookFeatures `json:"rules,omitzero"`
	// PlaybookChanged says that the playbook changed, so that the run continues as new as soon as
	// nothing waits.
	PlaybookChanged bool `json:"renewed,omitempty"`
}

func (s *Journal) appendTimeline(now time.Time, text string) {
	s.Timeline = append(s.Timeline, opportunity.TimelineEntry{At: now, Text: text})
	if extra := len(s.Timeline) - opportunity.MaxTimeline; extra > 0 {
		s.Timeline = slices.Delete(s.Timeline, 0, extra)
	}
}

// applyRequestEnd adds the line about the end of the request to the timeline.
func (s *Journal) applyRequestEnd(e requestEnd, outcome string) { s.appendTimeline(e.at, outcome) }
