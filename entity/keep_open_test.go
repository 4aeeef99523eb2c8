package entity_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// KeepOpenUntil counts from the moment at which the opportunity reaches a final state. A message,
// another step with the same final state, and a later playbook do not change KeepOpenUntil.
func TestKeepOpenCountsFromTheFinalState(t *testing.T) {
	lengths := map[opportunity.StageState]time.Duration{opportunity.Won: 30 * 24 * time.Hour, opportunity.Lost: time.Hour}
	rapid.Check(t, func(t *rapid.T) {
		s := new(entity.State)
		s.ID = "o"
		s.Playbook.KeepOpen = exchange.KeepOpen{Won: lengths[opportunity.Won], Lost: lengths[opportunity.Lost]}
		now, reached, last := noon, time.Time{}, opportunity.StageState("")
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(1, 100).Draw(t, "hours")) * time.Hour)
			state := rapid.SampledFrom([]opportunity.StageState{opportunity.Open, opportunity.Won, opportunity.Lost, opportunity.Archived}).Draw(t, "state")
			if state != last {
				reached, last = now, state
			}
			s.Step = opportunity.Step{ID: opportunity.ID(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "step")), Stage: opportunity.Stage{State: state}}
			s.ApplyFinalState(now)
			var want time.Time
			if length := lengths[state]; length > 0 {
				want = reached.Add(length)
			}
			if !s.OpenUntil().Equal(want) || s.CanEnd(now) != (state.IsFinal() && !want.After(now)) {
				t.Fatalf("in %s since %s: open until %s, can end %t; want %s", state, reached, s.OpenUntil(), s.CanEnd(now), want)
			}
			if want.After(now) && (!s.NextWakeAt(now).Equal(want) || !s.NextActionAt(now).Equal(want) || s.ShouldPlan(now)) {
				t.Fatalf("wakes at %s, next action at %s; want %s", s.NextWakeAt(now), s.NextActionAt(now), want)
			}
		}
		s.Playbook.KeepOpen.Won *= 2
		before := s.OpenUntil()
		if s.ApplyFinalState(now); !s.OpenUntil().Equal(before) {
			t.Fatalf("a later playbook changes the time from %s to %s", before, s.OpenUntil())
		}
	})
}

// A keepOpen period has different lengths on different days, because of clock changes and business
// hours.
func TestLengthsOfKeepOpenAreNoChangeOfThePlaybook(t *testing.T) {
	s := new(entity.State)
	s.ID = "o"
	features := exchange.PlaybookFeatures{Version: 1, Digest: "d", Reactions: true, KeepOpen: exchange.KeepOpen{Won: time.Hour}}
	s.SetPlaybook(&features, noon)
	s.PlanDue = false
	features.KeepOpen.Won = 2 * time.Hour
	if s.SetPlaybook(&features, noon); s.PlanDue || s.PlaybookChanged || s.Playbook.KeepOpen.Won != 2*time.Hour {
		t.Errorf("a plan is due: %t, changed: %t, kept open for %s", s.PlanDue, s.PlaybookChanged, s.Playbook.KeepOpen.Won)
	}
}
