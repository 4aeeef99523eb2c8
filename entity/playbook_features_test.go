package entity_test

import (
	"testing"
	"time"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// TestDailyPollsAreSpread: a thousand opportunities are planned at the same moment, as after an
// outage. The daily reads of these opportunities are at different moments, and each read is at most
// a day later.
func TestDailyPollsAreSpread(t *testing.T) {
	t.Parallel()
	const count = 1000
	hours := map[int]int{}
	for n := range count {
		s := entity.NewState("A-1", opportunity.Start{Name: "First Aid", Region: "DR"}, noon)
		snapshot := recordNow(exchange.InterestRef{
			ID: id("OpportunityInterest", n+1), Item: id(opportunity.TypeEvent, 1), Quantity: 1,
		})
		snapshot.ID = id(opportunity.TypeOpportunity, n+1)
		s.ApplyCreated(snapshot, opportunity.Ref{ID: region, Name: "Dominican Republic"}, noon)
		s.SetPlaybook(&exchange.PlaybookFeatures{Digest: "d", Reactions: true, Spread: 6 * time.Hour}, noon)
		s.ApplyPlan(exchange.Plan{}, snapshot, nil, nil, noon)
		wakes := s.NextWakeAt(noon)
		if wakes.Before(noon.Add(18*time.Hour)) || wakes.After(noon.Add(24*time.Hour)) {
			t.Fatalf("record %d is looked at %s after the last look; want it within the last quarter of a day", n, wakes.Sub(noon))
		}
		if s.ShouldPlan(wakes.Add(-time.Second)) || !s.ShouldPlan(wakes) {
			t.Fatalf("record %d is not looked at when it is time", n)
		}
		hours[int(wakes.Sub(noon).Minutes())/10]++
	}
	for ten, looks := range hours {
		if looks > count/15 {
			t.Errorf("%d of %d looks come within the same ten minutes (%d)", looks, count, ten)
		}
	}
}

// TestPollsWithoutSpreadComeAfterADay: histories of workers that did not have Spread must still
// replay.
func TestPollsWithoutSpreadComeAfterADay(t *testing.T) {
	t.Parallel()
	held := recordNow(exchange.InterestRef{ID: id("OpportunityInterest", 1), Item: id(opportunity.TypeEvent, 1), Quantity: 1})
	s := openedState(t)
	s.SetPlaybook(&exchange.PlaybookFeatures{Digest: "d", Reactions: true}, noon)
	s.ApplyPlan(exchange.Plan{}, held, nil, nil, noon)
	if s.ShouldPlan(noon.Add(24*time.Hour - time.Second)) {
		t.Error("it is looked at before a day is over")
	}
	if !s.ShouldPlan(noon.Add(24 * time.Hour)) {
		t.Error("it is not looked at after a day")
	}
}
