package entity_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

const day = 24 * time.Hour

func TestAdoptedRecordCountsFromItsLastChange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		changed        time.Time
		since, adopted time.Time
	}{
		{"unknown", time.Time{}, noon, time.Time{}},
		{"earlier", noon.Add(-90 * day), noon.Add(-90 * day), noon},
		{"a moment earlier", noon.Add(-1), noon.Add(-1), noon},
		{"at the adoption", noon, noon, noon},
		{"later", noon.Add(time.Hour), noon, noon},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := entity.NewState("A-1", opportunity.Start{Adopt: adoptableID}, noon.Add(-time.Hour))
			found := recordNow()
			found.ID, found.Changed = adoptableID, c.changed
			s.Adopt(found, opportunity.Ref{ID: region}, noon)
			if !s.Entered.Equal(c.since) || !s.LastActivity.Equal(c.since) || !s.AdoptedAt.Equal(c.adopted) {
				t.Errorf("entered %s, last active %s, adopted %s; want %s, %s and %s", s.Entered, s.LastActivity, s.AdoptedAt, c.since, c.since, c.adopted)
			}
			data, err := json.Marshal(s)
			var later entity.State
			if err != nil || json.Unmarshal(data, &later) != nil || !later.AdoptedAt.Equal(c.adopted) {
				t.Errorf("%v: the next run knows %s", err, later.AdoptedAt)
			}
			// The time in a new step begins at the first read that shows the record in this step.
			moved := found
			moved.Step = won
			s.ApplySnapshot(moved, noon.Add(day))
			if !s.Entered.Equal(noon.Add(day)) {
				t.Errorf("in the next step since %s", s.Entered)
			}
		})
	}
	// For a record found by its reference tag, the times of follow-ups are calculated from now.
	s := entity.NewState("A-1", opportunity.Start{Name: "n", Region: "UK"}, noon)
	found := recordNow()
	found.Changed = noon.Add(-day)
	s.AdoptFound(found, opportunity.Ref{ID: region}, nil, noon)
	if !s.Entered.Equal(noon) || !s.AdoptedAt.IsZero() {
		t.Errorf("entered %s, adopted %s", s.Entered, s.AdoptedAt)
	}
}

// TestCatchUpIsSpread: thousands of records are adopted at the same moment. The overdue follow-ups
// of these records are spread over three days, and CatchUpAt always returns the same time for the
// same record.
func TestCatchUpIsSpread(t *testing.T) {
	t.Parallel()
	const count = 3000
	hours := map[int]int{}
	for n := range count {
		record := id(opportunity.TypeOpportunity, n)
		at := exchange.CatchUpAt(record, noon)
		if at.Before(noon) || !at.Before(noon.Add(3*day)) || !at.Equal(at.Truncate(time.Second)) || !at.Equal(exchange.CatchUpAt(record, noon)) {
			t.Fatalf("record %d catches up %s after its adoption; want within three days, always at the same second", n, at.Sub(noon))
		}
		if later := exchange.CatchUpAt(record, noon.Add(time.Hour)); later.Sub(at) != time.Hour {
			t.Fatalf("record %d, adopted an hour later, catches up %s later", n, later.Sub(at))
		}
		hours[int(at.Sub(noon)/time.Hour)]++
	}
	for hour := range 72 {
		if got := hours[hour]; got < count/72/2 || got > count/72*2 {
			t.Errorf("%d of %d records catch up in hour %d", got, count, hour)
		}
	}
}
