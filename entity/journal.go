package entity

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Journal contains the timeline, the number of runs, the features of the playbook in force, and how
// long the run stays open after the end of the opportunity.
type Journal struct {
	Timeline []opportunity.TimelineEntry `json:"timeline,omitempty"`

	// Runs is the number of runs of the workflow, including this run.
	Runs int `json:"runs"`
	// PreviousRunID is the run id that the previous run stored as its own run id. When the previous
	// run began with a reset, PreviousRunID may be the id of the run before the reset.
	PreviousRunID string `json:"writer,omitempty"`

	// Playbook contains the features of the latest playbook that a worker returned.
	Playbook exchange.PlaybookFeatures `json:"rules,omitzero"`
	// PlaybookChanged says that the playbook changed, so that the run continues as new as soon as
	// no command waits.
	PlaybookChanged bool `json:"renewed,omitempty"`

	// FinalState is the final state that the opportunity has reached, or "" in an open step.
	// KeepOpenUntil is the time until which the playbook keeps the run open after FinalState was
	// reached.
	FinalState    opportunity.StageState `json:"finalState,omitempty"`
	KeepOpenUntil time.Time              `json:"keepOpenUntil,omitzero"`
	// PlacesUntil is the time until which the run stays open because places are reserved for people
	// without names.
	PlacesUntil time.Time `json:"placesUntil,omitzero"`
}

func (s *Journal) appendTimeline(now time.Time, text string) {
	s.Timeline = append(s.Timeline, opportunity.TimelineEntry{At: now, Text: text})
	if extra := len(s.Timeline) - opportunity.MaxTimeline; extra > 0 {
		s.Timeline = slices.Delete(s.Timeline, 0, extra)
	}
}

func (s *Journal) applyRequestEnd(e requestEnd, outcome string) { s.appendTimeline(e.at, outcome) }
