package workflows_test

import (
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// A refresh wakes an opportunity that sleeps: with a newer playbook it is continued by
// a new run, which plans by it.
func TestANewerPlaybookRenewsTheRun(t *testing.T) {
	s := newStage(t)
	b := moving(s, []string{"a"}, nil)
	s.at(time.Hour, func() {
		b.has.Digest = "two"
		s.env.SignalWorkflow("refresh", opportunity.Refresh{})
	})
	s.run(start, nil)
	state := s.continued()
	if state.Rules.Digest != "two" || state.Renewed {
		t.Errorf("carried on: %+v, renewed %v", state.Rules, state.Renewed)
	}
	next := restage(t, s.record)
	next.record.book = b
	next.at(time.Second, func() { next.env.SignalWorkflow("progress", to("Opportunity")) })
	next.at(time.Minute, func() { next.env.SignalWorkflow("progress", to("Won")) })
	next.run(nil, state)
	next.wantLog("create", "do a", "progress Opportunity", "progress Won")
}

// What is under way is finished before the run is continued.
func TestANewerPlaybookWaitsForWhatIsUnderWay(t *testing.T) {
	s := newStage(t)
	b := moving(s, []string{"a"}, []string{"b"})
	b.things["a"].needs, b.things["b"].needs = 3, 3
	s.at(time.Second, func() { s.env.SignalWorkflow("progress", to("Opportunity")) })
	b.things["a"].looks = func(activities.EffectInput) *activities.InspectResult {
		b.has.Digest = "two" // a worker is replaced meanwhile
		return nil
	}
	s.run(start, nil)
	s.wantLog("create", "do a", "do a", "do a", "progress Opportunity", "do b", "do b", "do b")
	if state := s.continued(); state.Rules.Digest != "two" || len(state.Jobs) > 0 {
		t.Errorf("carried on: %+v, %d effects under way", state.Rules, len(state.Jobs))
	}
}

// Without a playbook nothing is asked for beside what messages need.
func TestWithoutAPlaybookNothingIsPlanned(t *testing.T) {
	s := newStage(t)
	s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", reserved(1)) })
	s.win(time.Minute)
	s.run(start, nil)
	for _, call := range s.record.calls {
		if call == activities.PlanOpportunity || call == activities.InspectEffect {
			t.Errorf("called: %v", s.record.calls)
		}
	}
}
