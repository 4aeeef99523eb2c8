package tms

import (
	"time"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

// AdoptionFacts returns the input of a playbook about a record that is adopted now, where
// follow-ups count from the record's own time of last change. The record must have all of
// its interests. The facts hold no starts of events.
func AdoptionFacts(record administrate.Opportunity, now time.Time) playbook.Facts {
	a := &Activities{now: func() time.Time { return now }}
	snapshot := a.snapshot(record, "")
	s := opportunity.NewState("", opportunity.Start{Adopt: snapshot.ID}, now)
	s.TakenOver(snapshot, snapshot.Details.Region, now)
	facts := a.facts(snapshot, record, nil, known{s.Details.Region, s.Interests}, now)
	facts.Entered, facts.LastActivity, facts.Adopted = s.Entered, s.LastActivity, s.AdoptedAt
	return facts
}
