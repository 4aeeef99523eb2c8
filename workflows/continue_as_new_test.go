package workflows_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

func TestContinuingLosesNothing(t *testing.T) {
	first := newFixture(t)
	named := add(1)
	named.RequestID = "order-7"
	first.tms.apply = func(_ int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if in.Changes[len(in.Changes)-1].Progress != nil {
			first.env.SetContinueAsNewSuggested(true)
			// These signals arrive while the last API request of the run is in progress.
			first.env.SignalWorkflow("addInterests", named)
			first.env.SignalWorkflow("addInterests", add(3))
			first.env.SignalWorkflow("no such message", add(4))
		}
		return true, nil, nil
	}
	first.at(0, func() {
		first.env.SignalWorkflow("addInterests", named)
		first.env.SignalWorkflow("addInterests", reserved(2))
		first.env.SignalWorkflow("progress", to("Opportunity"))
	})
	first.run(start, nil)
	state := first.continued()
	if len(state.Queue) != 1 || state.Runs != 2 || state.Failures != 1 {
		t.Fatalf("carried: queue %+v, runs %d, failures %d", state.Queue, state.Runs, state.Failures)
	}

	second := newFixtureOver(t, first.tms)
	second.at(time.Second, func() {
		second.update("repeated", "addInterests", named)
		second.update("open", "opened", lifecycle.CreateOutcomeInput{Start: &start})
	})
	second.at(2*time.Second, func() { second.env.SignalWorkflow("progress", to("Won")) })
	second.run(nil, state)
	second.wantDone("repeated")
	second.wantLog("create", "interest 1", "interest 2", "extend", "progress Opportunity", "interest 3", "progress Won")
	if got := second.results["open"].opened; got.State != opportunity.Done {
		t.Errorf("opened in the second run: got %+v", got)
	}
	if view := second.view(); view.Runs != 2 || view.Total.String() != "1199.40" {
		t.Errorf("view: runs %d, total %s", view.Runs, view.Total)
	}
}

func TestContinuingRefusesUpdatesAndWaitsForThoseAccepted(t *testing.T) {
	s := newFixture(t)
	s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if n == 1 {
			s.env.SetContinueAsNewSuggested(true)
			s.update("late", "addInterests", add(2))
		}
		return true, nil, nil
	}
	s.at(time.Second, func() { s.update("early", "addInterests", add(1)) })
	s.run(start, nil)
	s.wantDone("early")
	s.wantRefused("late", opportunity.Continuing)
	s.continued()
	s.wantLog("create", "interest 1")
}

func TestTooMuchToCarryIsWorkedOffFirst(t *testing.T) {
	s := newFixture(t)
	const commands = 900
	s.at(0, func() {
		s.env.SetContinueAsNewSuggested(true)
		for n := range commands {
			name := fmt.Sprintf("%04d%s", n, strings.Repeat("x", 240))
			s.env.SignalWorkflow("updateDetails", opportunity.UpdateDetails{Name: name})
		}
	})
	s.run(start, nil)
	state := s.continued()
	if got := state.WaitingBytes(); got > opportunity.MaxWaitingBytes {
		t.Errorf("%d bytes of commands carried; at most %d", got, opportunity.MaxWaitingBytes)
	}
	done := len(s.tms.log) - 1
	if done == 0 || done+len(state.Queue) != commands {
		t.Errorf("%d applied and %d carried; want some applied and %d together", done, len(state.Queue), commands)
	}
	data, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > opportunity.MaxStateBytes {
		t.Errorf("the state takes %d bytes; at most %d", len(data), opportunity.MaxStateBytes)
	}
}

func TestNewerStateIsLeftAlone(t *testing.T) {
	s := newFixture(t)
	state := entity.NewState("A-1", start, time.Now())
	state.Version = entity.StateVersion + 1
	s.run(nil, state)
	var panicked *temporal.PanicError
	if err := s.env.GetWorkflowError(); !errors.As(err, &panicked) || !strings.Contains(err.Error(), "deploy a newer worker") {
		t.Errorf("got %v; want the task to fail, not the workflow to go on", err)
	}
}
