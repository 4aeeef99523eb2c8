package workflows_test

import (
	"slices"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// An operator pauses the opportunity while the run inspects an effect. The run does not send the
// request for the missing part of the effect before the pause ends.
func TestAPauseDuringAnInspectionHoldsTheEffect(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after []string
		want          []string
	}{
		{"before the transition", []string{"account"}, nil, []string{"do account", "progress Opportunity"}},
		{"after the transition", nil, []string{"account"}, []string{"do account"}},
	} {
		for _, way := range []string{"update", "signal"} {
			t.Run(c.name+" by "+way, func(t *testing.T) {
				s := newFixture(t)
				thing := withTransitionEffects(s, c.before, c.after).resources["account"]
				thing.unknownKindError = temporal.NewApplicationError("out", string(activities.ReasonUnreachable))
				s.at(time.Second, func() { s.env.SignalWorkflow("progress", to("Opportunity")) })
				s.at(time.Minute, func() { s.sendOperatorCommand(way, "p", opportunity.Pause{Reason: "wait"}) })
				s.at(time.Minute+time.Second, func() { thing.unknownKindError = nil }) // within the same activity
				sent := 0
				s.at(2*time.Hour, func() {
					if slices.Contains(s.tms.log, "do account") {
						t.Errorf("sent during the pause: %v", s.tms.log)
					}
					sent = len(s.tms.log)
					s.sendOperatorCommand(way, "r", opportunity.Resume{})
				})
				s.at(3*time.Hour, func() {
					if got := s.tms.log[sent:]; !slices.Equal(got, c.want) {
						t.Errorf("after the pause: %v, want %v", got, c.want)
					}
				})
				s.winAt(4 * time.Hour)
				s.run(start, nil)
			})
		}
	}
}

// A plan counts only for the state from which the plan was made. When an operator cancels a
// follow-up during the planning, the plan does not bring the follow-up back.
func TestAPlanOfAnEarlierRevisionIsDiscarded(t *testing.T) {
	s := newFixture(t)
	followUps(s, emailFollowUp)
	s.at(30*time.Minute, func() {
		s.tms.playbook.down = temporal.NewApplicationError("out", string(activities.ReasonUnreachable))
		s.env.SignalWorkflow("refresh", opportunity.Refresh{})
	})
	s.at(30*time.Minute+5*time.Second, func() {
		s.update("c", "cancelFollowUp", opportunity.CancelFollowUp{FollowUp: followUpKey("mail"), Reason: "called"})
	})
	plans := 0
	s.at(30*time.Minute+6*time.Second, func() { // within the same activity
		plans = s.tms.playbook.plans
		s.tms.playbook.down = nil
	})
	s.at(90*time.Minute, func() {
		if v := s.view(); len(v.FollowUps) != 0 {
			t.Errorf("the follow-ups %+v came back", v.FollowUps)
		}
		if again := s.tms.playbook.plans - plans; again != 2 {
			t.Errorf("planned %d times after the plan was possible again, want 2: one plan is outdated", again)
		}
	})
	s.winAt(5 * time.Hour)
	s.run(start, nil)
	s.wantDone("c")
	s.wantFollowUps("")
}
