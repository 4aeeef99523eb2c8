package opportunity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// The patterns of a playbook match the steps that its follow-ups are for, by id or name.
func TestStepPatterns(t *testing.T) {
	t.Parallel()
	lead := opportunity.Step{ID: "s1", Name: "Lead", Stage: opportunity.Stage{ID: "g1", Name: "New", State: opportunity.Open}}
	won := opportunity.Step{ID: "s2", Name: "Won", Stage: opportunity.Stage{ID: "g2", Name: "Won", State: opportunity.Won}}
	for name, c := range map[string]struct {
		patterns  opportunity.StepPatterns
		lead, won bool
	}{
		"unknown":                   {"", true, true},
		"none":                      {opportunity.StepPatternsOf(), false, false},
		"a step":                    {opportunity.StepPatternsOf(opportunity.StepPattern{Step: "Lead"}), true, false},
		"a step's id":               {opportunity.StepPatternsOf(opportunity.StepPattern{Step: "s2"}), false, true},
		"a stage":                   {opportunity.StepPatternsOf(opportunity.StepPattern{Stage: "New"}), true, false},
		"a stage's name is no step": {opportunity.StepPatternsOf(opportunity.StepPattern{Step: "New"}), false, false},
		"a state":                   {opportunity.StepPatternsOf(opportunity.StepPattern{State: opportunity.Open}), true, false},
		"a line break":              {opportunity.StepPatternsOf(opportunity.StepPattern{Step: "Lead\nstage Won"}), true, true},
		"too long":                  {opportunity.StepPatternsOf(opportunity.StepPattern{Step: strings.Repeat("x", 300)}), true, true},
		"several":                   {opportunity.StepPatternsOf(opportunity.StepPattern{Stage: "New"}, opportunity.StepPattern{State: opportunity.Won}), true, true},
	} {
		if got := c.patterns.Matches(lead); got != c.lead {
			t.Errorf("%s: %q has the step Lead: %v", name, c.patterns, got)
		}
		if got := c.patterns.Matches(won); got != c.won {
			t.Errorf("%s: %q has the step Won: %v", name, c.patterns, got)
		}
	}
}

// The record is not looked at in a step without follow-ups, unless something can happen to it that a rule is about.
func TestNoPollWithoutRules(t *testing.T) {
	t.Parallel()
	here, elsewhere := opportunity.StepPatternsOf(opportunity.StepPattern{State: opportunity.Open}), opportunity.StepPatternsOf(opportunity.StepPattern{State: opportunity.Won})
	event := opportunity.InterestRef{ID: id("OpportunityInterest", 1), Item: id(opportunity.TypeEvent, 1), Quantity: 1}
	course := opportunity.InterestRef{ID: id("OpportunityInterest", 1), Item: id(opportunity.TypeCourse, 1), Quantity: 1}
	for name, c := range map[string]struct {
		rules    opportunity.PlaybookFeatures
		interest opportunity.InterestRef
		looks    bool
	}{
		"a worker that names no steps":   {opportunity.PlaybookFeatures{FollowUps: true}, course, true},
		"follow-ups in this step":        {opportunity.PlaybookFeatures{FollowUps: true, FollowUpSteps: here}, course, true},
		"follow-ups in another one":      {opportunity.PlaybookFeatures{FollowUps: true, FollowUpSteps: elsewhere}, course, false},
		"happenings and an event":        {opportunity.PlaybookFeatures{Reactions: true, FollowUpSteps: opportunity.NoSteps}, event, true},
		"happenings and no event":        {opportunity.PlaybookFeatures{Reactions: true, FollowUpSteps: opportunity.NoSteps}, course, false},
		"no happenings, though an event": {opportunity.PlaybookFeatures{FollowUps: true, FollowUpSteps: elsewhere}, event, false},
	} {
		s := opportunity.NewState("A-1", opportunity.Start{Name: "First Aid", Region: "DR"}, noon)
		s.ApplyCreated(recordNow(c.interest), opportunity.Ref{ID: region, Name: "Dominican Republic"}, noon)
		s.ApplySnapshot(recordNow(c.interest), noon)
		c.rules.Digest = "d"
		s.SetPlaybook(&c.rules, noon)
		if got := s.ShouldPlan(noon.Add(time.Hour)); got != c.looks {
			t.Errorf("%s: looks: %v, want %v", name, got, c.looks)
		}
	}
}

// A follow-up that was planned for a step is gone with the move to a step without follow-ups, though no plan is made there.
func TestFollowUpsAreGoneWithTheirStep(t *testing.T) {
	t.Parallel()
	s := withFollowUps(t, reminder(1, 5))
	s.SetPlaybook(&opportunity.PlaybookFeatures{Digest: "d", FollowUps: true, FollowUpSteps: opportunity.StepPatternsOf(opportunity.StepPattern{Step: string(s.Step.ID)})}, noon)
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
