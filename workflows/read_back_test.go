package workflows_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Each subtest loses the response to the first request. Reading back decides which changes the
// first request made. When the run ends, each change was made exactly once.
func TestUnknownRequestIsReadBack(t *testing.T) {
	for name, made := range map[string]int{"nothing had happened": 0, "a part had": 2, "all had": -1} {
		for _, lost := range []string{"worker died", "answered unknown"} {
			t.Run(name+", "+lost, func(t *testing.T) {
				s := newFixture(t)
				s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
					if n > 1 {
						return true, nil, nil
					}
					s.tms.batchLimit = made
					if lost == "worker died" {
						return true, nil, errors.New("lost")
					}
					return true, resultWithStatus(exchange.StatusUnknown), nil
				}
				s.at(0, func() {
					s.env.SignalWorkflow("addInterests", addIn(1, 2, 3))
					s.env.SignalWorkflow("addInterests", reserved(4))
					s.env.SignalWorkflow("progress", to("Opportunity"))
				})
				s.at(30*time.Second, func() {
					if s.tms.applies != 1 || strings.Contains(strings.Join(s.tms.calls, " "), activities.ReadOpportunity) {
						t.Error("it was read back before the API had settled")
					}
				})
				s.at(10*time.Minute, func() { s.env.SignalWorkflow("progress", to("Won")) })
				s.run(start, nil)
				got := strings.Join(s.tms.log, ", ")
				for _, once := range []string{"create", "interest 1", "interest 2", "interest 3", "interest 4", "progress Opportunity", "progress Won"} {
					if n := strings.Count(got+",", once+","); n != 1 {
						t.Errorf("%q took effect %d times in: %s", once, n, got)
					}
				}
				if !s.tms.reservation.Valid {
					t.Error("the places are not held")
				}
			})
		}
	}
}

// Reading back cannot tell which of several different interests in the same item is on the record.
// If the interests are equal in all members, the run need not distinguish the interests.
func TestInterestsInTheSameItemAreNoGuess(t *testing.T) {
	for _, same := range []bool{true, false} {
		t.Run(fmt.Sprintf("equal %t", same), func(t *testing.T) {
			s := newFixture(t)
			s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
				if n == 1 {
					s.tms.batchLimit = 1
					return true, nil, errors.New("lost")
				}
				return true, nil, nil
			}
			command := add(1, 2)
			if same {
				command = add(1, 1)
			}
			s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", command) })
			s.at(10*time.Minute, func() {
				if asked := s.view().Question != nil; asked == same {
					t.Errorf("a question: %t", asked)
				}
				s.env.CancelWorkflow()
			})
			s.run(start, nil)
			if same {
				s.wantLog("create", "interest 1", "interest 1")
			} else {
				s.wantLog("create", "interest 1")
			}
		})
	}
}

func TestUndecidedChangeIsAQuestionAndTheQueueWaits(t *testing.T) {
	for _, answer := range []string{"confirm", "retry", "skip"} {
		t.Run(answer, func(t *testing.T) {
			s := newFixture(t)
			s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
				if n > 1 {
					return true, nil, nil
				}
				// Somebody adds another interest by hand before the run reads the record back.
				s.tms.items = append(s.tms.items, exchange.InterestRef{ID: "by-hand", Item: id("LearningPath", 1)})
				return false, nil, errors.New("lost")
			}
			command := add(1)
			command.RequestID = "order-7"
			s.at(time.Second, func() { s.update("first", "addInterests", command) })
			s.at(2*time.Minute+30*time.Second, func() { s.env.SignalWorkflow("addInterests", add(2)) })
			s.at(5*time.Minute, func() {
				view := s.view()
				if view.Question == nil || view.Question.Request != "order-7" || len(view.Queue) != 2 {
					t.Errorf("view: got question %+v and queue %+v", view.Question, view.Queue)
				}
				if s.tms.applies != 1 {
					t.Errorf("%d requests; the stream must wait", s.tms.applies)
				}
				payload := any(opportunity.Retry{Request: "order-7"})
				switch answer {
				case "skip":
					payload = opportunity.Skip{Request: "order-7", Reason: "added by hand"}
				case "confirm":
					payload = opportunity.Confirm{Request: "order-7"}
					s.tms.items = append(s.tms.items, exchange.InterestRef{ID: "it-is-there", Item: id("CourseTemplate", 11), Quantity: 1})
				}
				s.update("answer", answer, payload)
			})
			s.at(6*time.Minute, func() { s.update("asked again", "addInterests", command) })
			s.winAt(10 * time.Minute)
			s.run(start, nil)
			if got := s.results["first"].outcome; got.State != opportunity.Pending {
				t.Errorf("the update: got %+v; want pending after 20 seconds", got)
			}
			if answer == "confirm" {
				s.wantLog("create", "interest 2", "progress Opportunity", "progress Won")
				s.wantDone("asked again")
				if shown := s.view().Interests; !slices.ContainsFunc(shown, func(h opportunity.RecordedInterest) bool { return h.ID == "it-is-there" }) {
					t.Errorf("the view shows %+v; want what was confirmed among it", shown)
				}
				return
			}
			if answer == "skip" {
				s.wantLog("create", "interest 2", "progress Opportunity", "progress Won")
				if got := s.results["asked again"].outcome; got.State != opportunity.Failed || got.Error.Type != opportunity.Skipped {
					t.Errorf("asked again: got %+v; want Skipped", got)
				}
				return
			}
			s.wantLog("create", "interest 1", "interest 2", "progress Opportunity", "progress Won")
			s.wantDone("asked again")
		})
	}
}
