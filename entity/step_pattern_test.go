package entity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func TestStepPatterns(t *testing.T) {
	t.Parallel()
	lead := opportunity.Step{ID: "s1", Name: "Lead", Stage: opportunity.Stage{ID: "g1", Name: "New", State: opportunity.Open}}
	won := opportunity.Step{ID: "s2", Name: "Won", Stage: opportunity.Stage{ID: "g2", Name: "Won", State: opportunity.Won}}
	for name, c := range map[string]struct {
		patterns  exchange.StepPatterns
		lead, won bool
	}{
		"unknown":                   {"", true, true},
		"none":                      {exchange.StepPatternsOf(), false, false},
		"a step":                    {exchange.StepPatternsOf(exchange.StepPattern{Step: "Lead"}), true, false},
		"a step's id":               {exchange.StepPatternsOf(exchange.StepPattern{Step: "s2"}), false, true},
		"a stage":                   {exchange.StepPatternsOf(exchange.StepPattern{Stage: "New"}), true, false},
		"a stage's name is no step": {exchange.StepPatternsOf(exchange.StepPattern{Step: "New"}), false, false},
		"a state":                   {exchange.StepPatternsOf(exchange.StepPattern{State: opportunity.Open}), true, false},
		"a line break":              {exchange.StepPatternsOf(exchange.StepPattern{Step: "Lead\nstage Won"}), true, true},
		"too long":                  {exchange.StepPatternsOf(exchange.StepPattern{Step: strings.Repeat("x", 300)}), true, true},
		"several":                   {exchange.StepPatternsOf(exchange.StepPattern{Stage: "New"}, exchange.StepPattern{State: opportunity.Won}), true, true},
	} {
		if got := c.patterns.Matches(lead); got != c.lead {
			t.Errorf("%s: %q has the step Lead: %v", name, c.patterns, got)
		}
		if got := c.patterns.Matches(won); got != c.won {
			t.Errorf("%s: %q has the step Won: %v", name, c.patterns, got)
		}
	}
}

// TestNoPollWithoutRules: in a step without follow-ups, the run reads the record only if an
// external change with a reaction is possible.
func TestNoPollWithoutRules(t *testing.T) {
	t.Parallel()
	here, elsewhere := exchange.StepPatternsOf(exchange.StepPattern{State: opportunity.Open}), exchange.StepPatternsOf(exchange.StepPattern{State: opportunity.Won})
	event := exchange.InterestRef{ID: id("OpportunityInterest", 1), Item: id(opportunity.TypeEvent, 1), Quantity: 1}
	course := exchange.InterestRef{ID: id("OpportunityInterest", 1), Item: id(opportunity.TypeCourse, 1), Quantity: 1}
	for name, c := range map[string]struct {
		rules    exchange.PlaybookFeatures
		interest exchange.InterestRef
		looks    bool
	}{
		"a worker that names no steps":  {exchange.PlaybookFeatures{FollowUps: true}, course, true},
		"follow-ups in this step":       {exchange.PlaybookFeatures{FollowUps: true, FollowUpSteps: here}, course, true},
		"follow-ups in another one":     {exchange.PlaybookFeatures{FollowUps: true, FollowUpSteps: elsewhere}, course, false},
		"reactions and an event":        {exchange.PlaybookFeatures{Reactions: true, FollowUpSteps: exchange.NoSteps}, event, true},
		"reactions and no event":        {exchange.PlaybookFeatures{Reactions: true, FollowUpSteps: exchange.NoSteps}, course, false},
		"no reactions, though an event": {exchange.PlaybookFeatures{FollowUps: true, FollowUpSteps: elsewhere}, event, false},
	} {
		s := entity.NewState("A-1", opportunity.Start{Name: "First Aid", Region: "DR"}, noon)
		s.ApplyCreated(recordNow(c.interest), opportunity.Ref{ID: region, Name: "Dominican Republic"}, noon)
		s.ApplySnapshot(recordNow(c.interest), noon)
		c.rules.Digest = "d"
		s.SetPlaybook(&c.rules, noon)
		if got := s.ShouldPlan(noon.Add(time.Hour)); got != c.looks {
			t.Errorf("%s: looks: %v, want %v", name, got, c.looks)
		}
	}
}

// TestFollowUpsAreGoneWithTheirStep: a transition to a step without follow-ups drops the planned
// follow-ups, even though no new plan is made.
func TestFollowUpsAreGoneWithTheirStep(t *testing.T) {
	t.Parallel()
	s := withFollowUps(t, reminder(1, 5))
	s.SetPlaybook(&exchange.PlaybookFeatures{Digest: "d", FollowUps: true, FollowUpSteps: exchange.StepPatternsOf(exchange.StepPattern{Step: string(s.Step.ID)})}, noon)
	planFollowUps(s, noon, reminder(1, 5))
	if len(s.FollowUps) != 1 {
		t.Fatalf("planned: %s", followUpKeys(s))
	}
	moved := recordNow()
	moved.Step = opportunity.Step{ID: "other", Name: "Other", Stage: opportunity.Stage{State: opportunity.Open}}
	s.ApplySnapshot(moved, noon.Add(time.Hour))
	if len(s.FollowUps) > 0 || s.ShouldPlan(noon.Add(2*time.Hour)) || !s.NextFollowUpAt().IsZero() {
		t.Errorf("follow-ups %s, next action %v", followUpKeys(s), s.NextFollowUpAt())
	}
}
