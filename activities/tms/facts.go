package tms

import (
	"time"

	"github.com/oppflow/oppflow/activities/tms/record"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/playbook"
)

// AdoptionFacts returns the input of a playbook for a record that Oppflow adopts at the time in
// now. The times of follow-ups count from the time of the record's last change. raw must contain
// all interests of the record. The facts do not contain the starts of events.
func AdoptionFacts(raw administrate.Opportunity, now time.Time) playbook.Facts {
	a := &Activities{now: func() time.Time { return now }}
	snapshot := a.snapshot(raw, "")
	known := record.Known{Region: snapshot.Details.Region}
	for _, interest := range snapshot.Interests {
		known.Interests = append(known.Interests, interest.Recorded())
	}
	facts := record.Facts(snapshot, raw, nil, known, now)
	since, adopted := exchange.AdoptionTimes(snapshot, now)
	facts.Entered, facts.LastActivity, facts.Adopted = since, since, adopted
	return facts
}
