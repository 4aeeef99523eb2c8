package workflows_test

import (
	"slices"
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Any read may find a reference tag with a reference other than the opportunity's own on the
// record. After a read that finds a reference tag with a reference other than the opportunity's
// own, the run sends nothing until an operator resumes the opportunity. Signals wait during the
// pause, and the run executes the signals once the reference tag is correct.
func TestARecordOfAnotherReferenceIsNotWrittenTo(t *testing.T) {
	for name, c := range map[string]struct {
		play func(*fixture)
		send func(*fixture) // at 10 s, when the record has the tag of the other reference
		ask  func(*fixture) // the operator's command, at the end
	}{
		"seen by a refresh": {
			send: func(s *fixture) { s.env.SignalWorkflow("refresh", opportunity.Refresh{}) },
		},
		"seen in reading back": {
			play: func(s *fixture) {
				s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
					if n == 1 {
						return false, &activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusUnknown}}, nil
					}
					return true, nil, nil
				}
			},
			send: func(s *fixture) {
				one := addIn(7)
				one.RequestID = "lost"
				s.env.SignalWorkflow("addInterests", one)
			},
			ask: func(s *fixture) {
				s.env.SignalWorkflow("skip", opportunity.Skip{Request: "lost", Reason: "never mind"})
			},
		},
		"seen before a move": {
			play: func(s *fixture) { withTransitionEffects(s, nil, nil) },
			send: func(s *fixture) { s.env.SignalWorkflow("progress", to("Opportunity")) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			if c.play != nil {
				c.play(s)
			}
			before := []string{}
			s.at(10*time.Second, func() {
				s.tms.owner = "B-2"
				c.send(s)
			})
			s.at(10*time.Minute, func() {
				before = slices.Clone(s.tms.log)
				s.env.SignalWorkflow("addInterests", add(1))
				s.update("refused", "addInterests", add(2))
			})
			s.at(24*time.Hour, func() {
				if !slices.Equal(before, s.tms.log) || !slices.Equal(s.tms.log, []string{"create"}) {
					t.Errorf("the record was changed: %v", s.tms.log)
				}
				if !slices.Contains(s.attention(), "paused") || s.view().Paused == nil || s.view().Paused.Reason != "the record has the reference tag of another reference" {
					t.Errorf("found by %v, paused %+v", s.attention(), s.view().Paused)
				}
				s.tms.owner = ""
				if c.ask != nil {
					c.ask(s)
				}
				s.env.SignalWorkflow("resume", opportunity.Resume{})
			})
			s.winAt(25 * time.Hour)
			s.run(start, nil)
			s.wantRefused("refused", opportunity.Paused)
			if !slices.Contains(s.tms.log, "interest 1") || !slices.Contains(s.tms.log, "progress Won") {
				t.Errorf("after the pause: %v", s.tms.log)
			}
		})
	}
}
