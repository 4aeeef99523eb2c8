package workflows_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// The variable state has the form in which a run of the first release carried its state over: the
// queue is a plain list. The next run executes the waiting messages, and carries over a state of
// the current version.
func TestAStateOfTheFirstReleaseRunsOn(t *testing.T) {
	state := json.RawMessage(`{"version":1,"reference":"A-1","startDigest":"` + start.Digest() + `","id":"` + string(id("Opportunity", 2)) + `",
		"details":{"name":"First Aid course","region":{"id":"UmVnaW9uOlVL","name":"UK"}},
		"step":{"id":"` + string(steps[0].ID) + `","name":"Proposed","stage":{"id":"` + string(steps[0].Stage.ID) + `","name":"Proposed","state":"Open"}},
		"interests":[{"id":"i","item":"x","quantity":1,"unitAmount":"199.90"}],"handled":"","unnamed":1,"runs":2,"queue":[
		{"request":"order-7","verb":"addInterests","payload":{"interests":[
			{"item":"` + string(id("CourseTemplate", 11)) + `","quantity":5,"unitAmount":"1.00"},{"item":"` + string(id("CourseTemplate", 11)) + `","quantity":6,"unitAmount":"1.00"}]},
		 "accepted":"2026-11-23T08:00:00.123456789Z","changes":2,"results":[{"interest":"i","item":"x"},{"item":""}]},
		{"request":"#1","verb":"progress","payload":{"to":"Opportunity"},"accepted":"2026-11-23T08:00:01Z","changes":1,"silent":true}]}`)
	first := newFixture(t)
	createRecord(first)
	first.tms.items, first.tms.details.Name = nil, "First Aid course"
	first.at(0, func() { first.env.SignalWorkflow("pause", opportunity.Pause{}) })
	first.at(time.Minute, func() {
		if view := first.view(); view.StateVersion != entity.StateVersion {
			t.Errorf("the view is of version %d", view.StateVersion)
		}
	})
	first.at(2*time.Minute, func() { first.env.SignalWorkflow("addInterests", add(8)) })
	first.at(3*time.Minute, func() { first.env.SetContinueAsNewSuggested(true) })
	first.env.SetContinuedExecutionRunID("the run before")
	first.env.ExecuteWorkflow(lifecycle.WorkflowType, nil, state)
	next := first.continued()
	if next.Version != entity.StateVersion || next.Runs != 3 || len(next.Queue) != 3 || next.Paused == nil {
		t.Fatalf("carried: version %d, run %d, queue %+v, paused %+v", next.Version, next.Runs, next.View().Queue, next.Paused)
	}
	second := newFixtureOver(t, first.tms)
	second.at(time.Second, func() {
		second.update("open", "opened", lifecycle.CreateOutcomeInput{Start: &start})
		second.update("r", "resume", opportunity.Resume{})
	})
	second.at(time.Minute, func() { second.env.SignalWorkflow("progress", to("Won")) })
	second.run(nil, next)
	second.wantDone("r")
	second.wantLog("interest 6", "progress Opportunity", "interest 8", "progress Won")
	if got := second.results["open"].opened; got.State != opportunity.Done {
		t.Errorf("opened: got %+v", got)
	}
	if got, err := second.outcomeOf(lifecycle.OutcomeInput{RequestID: "order-7"}); err != nil || got.State != opportunity.Done || len(got.Results) != 2 || got.Results[0].Interest != "i" {
		t.Errorf("what was done in part: got %+v, %v", got, err)
	}
}

func fillQueue(t *testing.T, state *entity.State) {
	t.Helper()
	commands := 0
	for state.WaitingBytes() <= opportunity.MaxWaitingBytes+20_000 {
		for range 50 {
			commands++
			command := opportunity.UpdateDetails{Name: fmt.Sprintf("%05d %s", commands, strings.Repeat("x", 200))}
			if _, err := state.Accept(command, fmt.Sprint("order-", commands), true, time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// The server terminates a run at 51,200 history events, and the run then loses its waiting
// messages. Before the limit of 51,200 events, the run drops the newest waiting messages and
// reports that the messages were dropped.
func TestTooMuchWaitsForTooLong(t *testing.T) {
	paused := &opportunity.PauseInfo{Since: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}
	for name, prepare := range map[string]func(*fixture, *entity.State){
		"the API is out of reach": func(s *fixture, _ *entity.State) {
			s.tms.apply = func(int, activities.ApplyInput) (bool, *activities.ApplyResult, error) {
				return false, unreachableApply(0), nil
			}
		},
		"paused": func(_ *fixture, state *entity.State) { state.Paused = paused },
		"the record cannot be created": func(s *fixture, state *entity.State) {
			state.ID, state.Start = "", &start
			s.tms.create = func(int) (bool, *activities.CreateResult, error) {
				return false, &activities.CreateResult{CallResult: unreachableResult(0)}, nil
			}
		},
		"paused before the record exists": func(_ *fixture, state *entity.State) {
			state.ID, state.Start, state.Paused = "", &start, paused
		},
	} {
		for _, limit := range []string{"events", "bytes"} {
			t.Run(name+", "+limit, func(t *testing.T) {
				s := newFixture(t)
				createRecord(s)
				state := entity.NewState("A-1", start, time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC))
				state.ApplyCreated(exchange.Snapshot{ID: id("Opportunity", 2), Step: steps[0]}, opportunity.Ref{}, time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC))
				prepare(s, state)
				fillQueue(t, state)
				s.at(time.Minute, func() {
					s.env.SetContinueAsNewSuggested(true)
					if view := s.view(); len(view.Queue) == 0 || view.Failures > 0 {
						t.Errorf("dropped too early: %d failures", view.Failures)
					}
				})
				s.at(2*time.Minute, func() {
					if limit == "events" {
						s.env.SetCurrentHistoryLength(40_001)
					} else {
						s.env.SetCurrentHistorySize(40<<20 + 1)
					}
				})
				last := add(1)
				last.RequestID = "last"
				s.at(90*time.Second, func() { s.env.SignalWorkflow("addInterests", last) })
				s.at(3*time.Minute, func() { s.env.SignalWorkflow("addInterests", add(2)) })
				s.at(time.Hour, s.env.CancelWorkflow) // otherwise the run would never end
				s.run(nil, state)
				next := s.continued()
				if next.WaitingBytes() > opportunity.MaxWaitingBytes || len(next.Queue) == 0 || next.Queue[0].Request != "order-1" {
					t.Fatalf("%d bytes are carried, in %d entries", next.WaitingBytes(), len(next.Queue))
				}
				if got, err := next.Outcome("last"); err != nil || got.State != opportunity.Failed || got.Error.Type != opportunity.Busy {
					t.Errorf("the newest: got %+v, %v", got, err)
				}
				if dropped := next.DedupWindow.Len() + next.GeneratedIDs - len(next.Queue); next.Failures != dropped {
					t.Errorf("%d failures, %d dropped", next.Failures, dropped)
				}
			})
		}
	}
}
