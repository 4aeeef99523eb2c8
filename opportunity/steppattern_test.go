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
		if got := c.patterns.Has(lead); got != c.lead {
			t.Errorf("%s: %q has the step Lead: %v", name, c.patterns, got)
		}
		if got := c.patterns.Has(won); got != c.won {
			t.Errorf("%s: %q has the step Won: %v", name, c.patterns, got)
		}
	}
}

// The record is not looked at in a step without follow-ups, unless something can happen to it that a rule is about.
func TestNoLookWhereNoRuleNeedsOne(t *testing.T) {
	t.Parallel()
	here, elsewhere := opportunity.StepPatternsOf(opportunity.StepPattern{State: opportunity.Open}), opportunity.StepPatternsOf(opportunity.StepPattern{State: opportunity.Won})
	event := opportunity.InterestRef{ID: id("OpportunityInterest", 1), Item: id(opportunity.TypeEvent, 1), Quantity: 1}
	course := opportunity.InterestRef{ID: id("OpportunityInterest", 1), Item: id(opportunity.TypeCourse, 1), Quantity: 1}
	for name, c := range map[string]struct {
		rules    opportunity.Rules
		interest opportunity.InterestRef
		looks    bool
	}{
		"a worker that names no steps":   {opportunity.Rules{FollowUps: true}, course, true},
		"follow-ups in this step":        {opportunity.Rules{FollowUps: true, At: here}, course, true},
		"follow-ups in another one":      {opportunity.Rules{FollowUps: true, At: elsewhere}, course, false},
		"happenings and an event":        {opportunity.Rules{Happenings: true, At: opportunity.NoSteps}, event, true},
		"happenings and no event":        {opportunity.Rules{Happenings: true, At: opportunity.NoSteps}, course, false},
		"no happenings, though an event": {opportunity.Rules{FollowUps: true, At: elsewhere}, event, false},
	} {
		s := opportunity.NewState("A-1", opportunity.Start{Name: "First Aid", Region: "DR"}, noon)
		s.Created(recordNow(c.interest), opportunity.Named{ID: region, Name: "Dominican Republic"}, noon)
		s.Looked(recordNow(c.interest), noon)
		c.rules.Digest = "d"
		s.Ruled(&c.rules, noon)
		if got := s.PlansNow(noon.Add(time.Hour)); got != c.looks {
			t.Errorf("%s: looks: %v, want %v", name, got, c.looks)
		}
	}
}

// A follow-up that was planned for a step is gone with the move to a step without follow-ups, though no plan is made there.
func TestFollowUpsAreGoneWithTheirStep(t *testing.T) {
	t.Parallel()
	s := following(t, reminder(1, 5))
	s.Ruled(&opportunity.Rules{Digest: "d", FollowUps: true, At: opportunity.StepPatternsOf(opportunity.StepPattern{Step: string(s.Step.ID)})}, noon)
	replanned(s, noon, reminder(1, 5))
	if len(s.FollowUps) != 1 {
		t.Fatalf("planned: %s", keys(s))
	}
	moved := recordNow()
	moved.Step = opportunity.Step{ID: "other", Name: "Other", Stage: opportunity.Stage{State: opportunity.Open}}
	s.Looked(moved, noon.Add(time.Hour))
	if len(s.FollowUps) > 0 || s.PlansNow(noon.Add(2*time.Hour)) || !s.NextAction().IsZero() {
		t.Errorf("follow-ups %s, next action %v", keys(s), s.NextAction())
	}
}
