package workflows_test

import (
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/stretchr/testify/mock"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// The server loses an activity: the server neither offers the activity to a worker nor times the
// activity out. When a message wakes the run after the time-outs of the activity, the run
// continues.
func TestAnActivityThatTheServerLoses(t *testing.T) {
	for _, name := range []string{
		activities.CreateOpportunity, activities.ApplyCommands, activities.PlanOpportunity, activities.InspectEffect, activities.ExecuteEffect,
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			withTransitionEffects(s, []string{"account"}, nil)
			lost := 0
			s.losesActivity = func(asked string) bool {
				if asked == name {
					lost++
				}
				return asked == name && lost == 1
			}
			s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", addIn(1)) })
			s.at(3*time.Minute, func() { s.env.SignalWorkflow("progress", opportunity.Progress{To: "Opportunity"}) })
			for n := range 9 { // a message now and then
				s.at(time.Duration(6+3*n)*time.Minute, func() { s.env.SignalWorkflow("refresh", opportunity.Refresh{}) })
			}
			s.winAt(time.Hour)
			s.run(start, nil)
			if lost == 0 {
				t.Fatal("nothing was lost")
			}
			s.wantLog("create", "interest 1", "do account", "progress Opportunity", "progress Won")
		})
	}
}

// In a run without changeGiveUpLostActivities, a round of a read takes longer than the time-out of
// the round, as after an outage of the server. The run continues to wait for the round, so the
// history contains no further round.
func TestARunThatGivesUpNoActivityWaitsOn(t *testing.T) {
	s := newFixture(t)
	s.env.OnGetVersion("give up activities that the server has lost", workflow.DefaultVersion, workflow.Version(1)).Return(workflow.DefaultVersion)
	s.env.OnGetVersion(mock.Anything, workflow.DefaultVersion, workflow.Version(1)).Return(workflow.Version(1))
	s.tms.read = func(int) error { return temporal.NewApplicationError("away", string(activities.ReasonUnreachable)) }
	looks := 0
	s.losesActivity = func(name string) bool {
		if name == activities.ReadOpportunity {
			looks++
		}
		return name == activities.ReadOpportunity && looks > 1
	}
	s.tms.apply = func(int, activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		return false, &activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusUnknown}}, nil // the change is read back
	}
	s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", addIn(1)) })
	for n := range 8 { // each message wakes the run
		s.at(time.Duration(5+5*n)*time.Minute, func() { s.env.SignalWorkflow("pause", opportunity.Pause{}) })
	}
	s.at(50*time.Minute, func() {
		if looks != 2 {
			t.Errorf("%d rounds of the read; want that the second one goes on", looks)
		}
		s.losesActivity, s.tms.read = nil, nil
		s.env.CancelWorkflow()
	})
	s.run(start, nil)
}
