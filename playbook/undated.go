package playbook

import (
	"fmt"
	"slices"

	"github.com/oppflow/oppflow/opportunity"
)

// Undated is a follow-up whose due time cannot be computed, because the facts lack the time before
// which the follow-up is due.
type Undated struct {
	// Name is the name of the follow-up rule in the playbook.
	Name string
	// Missing is what the facts lack.
	Missing MissingTime
}

// MissingTime is a kind of time that facts may lack.
type MissingTime string

// The kinds of missing times.
const (
	// MissingStart is the start of an event.
	MissingStart MissingTime = "start"
	// MissingExpiry is the expiry of training tokens.
	MissingExpiry MissingTime = "expiry"
)

// Undated returns the follow-ups of the current step that a plan cannot contain because the facts
// lack a time, without duplicates. Call Undated only with facts that were made without reading the
// events. In facts that were made from the events, a missing start may mean that the event was
// cancelled.
func (p *Playbook) Undated(facts Facts) []Undated {
	planner := p.plannerOf(facts)
	var all []Undated
	for i, step := range planner.rules.Steps {
		if !step.At.matches(facts.Step) {
			continue
		}
		for j, rule := range step.FollowUps {
			lacks := facts.missingTime(rule)
			if lacks != "" && planner.conditionHolds(rule.Name, fmt.Sprintf("steps[%d].followUps[%d].when", i, j)) {
				all = append(all, Undated{Name: rule.Name, Missing: lacks})
			}
		}
	}
	return all
}

// missingTime returns the kind of time that the rule needs and that at least one interest lacks, or
// "" if no interest lacks it.
func (f Facts) missingTime(rule FollowUpRule) MissingTime {
	start := func(i Interest) bool { return i.Kind == opportunity.Event && i.Start.IsZero() }
	expiry := func(i Interest) bool { return i.Kind == opportunity.Tokens && i.ExpiresAt == "" }
	switch {
	case rule.Due.BeforeStart != nil && slices.ContainsFunc(f.Interests, start):
		return MissingStart
	case rule.Due.BeforeTokensExpire != nil && slices.ContainsFunc(f.Interests, expiry):
		return MissingExpiry
	}
	return ""
}
