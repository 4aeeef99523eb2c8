package workflows_test

import (
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// The server loses an activity: it neither offers the activity to a worker nor times it out. When a
// message wakes the run some time after that, the run goes on.
func TestAnActivityThatTheServerLoses(t *testing.T) {
	for _, name := range []string{
		activities.CreateOpportunity, activities.ApplyCommands, activities.PlanOpportunity, activities.InspectEffect, activities.CarryOutEffect,
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			moving(s, []string{"account"}, nil)
			lost := 0
			s.misplaces = func(asked string) bool {
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
			s.win(time.Hour)
			s.run(start, nil)
			if lost == 0 {
				t.Fatal("nothing was lost")
			}
			s.wantLog("create", "interest 1", "do account", "progress Opportunity", "progress Won")
		})
	}
}
