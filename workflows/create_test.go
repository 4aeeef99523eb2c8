package workflows_test

import (
	"errors"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

func TestInvalidStartFreesTheReference(t *testing.T) {
	for name, input := range map[string]any{
		"no region":      map[string]any{"name": "x"},
		"unknown member": map[string]any{"name": "x", "region": "UK", "colour": "red"},
		"no object":      "x",
		"nothing":        nil,
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			s.run(input, nil)
			var application *temporal.ApplicationError
			if err := s.env.GetWorkflowError(); !errors.As(err, &application) || application.Type() != string(opportunity.Invalid) {
				t.Errorf("got %v; want the workflow to fail as Invalid", err)
			}
			if len(s.tms.log) > 0 {
				t.Error("something was created")
			}
		})
	}
}

func TestRejectedStartFailsAndAnswersEverybody(t *testing.T) {
	s := newFixture(t)
	s.tms.create = func(int) (bool, *activities.CreateResult, error) {
		return false, &activities.CreateResult{CallResult: activities.CallResult{
			Status: exchange.StatusRejected, Error: &opportunity.Error{Type: opportunity.Rejected, Label: "Invalid Region", Message: "no such region"},
		}}, nil
	}
	s.at(0, func() {
		s.update("open", "opened", lifecycle.CreateOutcomeInput{})
		s.update("i", "addInterests", add(1))
	})
	s.run(start, nil)
	var application *temporal.ApplicationError
	if err := s.env.GetWorkflowError(); !errors.As(err, &application) || application.Type() != string(opportunity.Rejected) {
		t.Errorf("got %v; want the workflow to fail as Rejected", err)
	}
	if !errors.As(s.results["open"].err, &application) || application.Type() != string(opportunity.Rejected) {
		t.Errorf("opened: got %+v; want Rejected", s.results["open"])
	}
	if got := s.results["i"].outcome; got.State != opportunity.Failed || got.Error == nil || got.Error.Type != opportunity.Closed {
		t.Errorf("the interest that waited: got %+v; want it failed as Closed", got)
	}
}

func TestUnknownCreateIsFoundByItsTag(t *testing.T) {
	for name, commit := range map[string]bool{"committed": true, "not committed": false} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			s.tms.create = func(n int) (bool, *activities.CreateResult, error) {
				if n > 1 {
					return true, nil, nil
				}
				return commit, nil, errors.New("the worker died")
			}
			s.winAt(5 * time.Minute)
			s.run(start, nil)
			s.wantLog("create", "progress Opportunity", "progress Won")
			if err := s.env.GetWorkflowError(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEarlierRunIsTakenOver(t *testing.T) {
	s := newFixture(t)
	with := start
	with.Interests = addIn(1, 2, 3).Interests
	s.tms.exists, s.tms.taggedRecords, s.tms.step = true, 1, steps[0]
	s.tms.items = []exchange.InterestRef{{ID: "earlier-1", Item: id("CourseTemplate", 101)}}
	s.tms.create = func(int) (bool, *activities.CreateResult, error) {
		return false, &activities.CreateResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonEarlierRun}}, nil
	}
	s.winAt(time.Minute)
	s.run(with, nil)
	s.wantLog("interest 2", "interest 3", "progress Opportunity", "progress Won")
}

// The run waits until the API can no longer commit requests of a terminated run before it looks for
// the record. An effect that a terminated run's request caused does not count as the effect of a
// message to this run.
func TestARequestOfATerminatedRunIsNotTakenForOneOfThisRun(t *testing.T) {
	for name, late := range map[string]time.Duration{"while the record is not looked for yet": 50 * time.Second, "while it is not read yet": 100 * time.Second} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			s.tms.exists, s.tms.taggedRecords, s.tms.step = true, 1, steps[0]
			s.tms.settling = time.Minute
			s.tms.create = func(int) (bool, *activities.CreateResult, error) {
				return false, &activities.CreateResult{CallResult: activities.CallResult{
					Status: exchange.StatusNotSent, Reason: activities.ReasonEarlierRun, RetryAfter: time.Minute,
				}}, nil
			}
			with := addIn(1)
			s.at(late, func() { // an equal interest, of the earlier run
				s.tms.mu.Lock()
				defer s.tms.mu.Unlock()
				s.tms.applyChange(exchange.Change{Interest: &with.Interests[0]})
			})
			s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
				if n == 1 { // the change status is unknown; the request was lost
					return false, &activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusUnknown}}, nil
				}
				return true, nil, nil
			}
			s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", with) })
			s.winAt(30 * time.Minute)
			s.run(start, nil)
			s.wantLog("interest 1", "interest 1", "progress Opportunity", "progress Won")
		})
	}
}

// If an earlier run with another start created the record, this run finds the record but does not
// adopt the record.
func TestARecordOfAnotherStartIsAConflict(t *testing.T) {
	s := newFixture(t)
	s.tms.exists, s.tms.taggedRecords, s.tms.step = true, 1, steps[0]
	s.tms.conflict = opportunity.Failf(opportunity.Conflict, "an opportunity with another start had it before")
	s.tms.create = func(int) (bool, *activities.CreateResult, error) {
		return false, &activities.CreateResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonEarlierRun}}, nil
	}
	s.run(start, nil)
	s.wantLog()
	var failed *temporal.ApplicationError
	if err := s.env.GetWorkflowError(); !errors.As(err, &failed) || failed.Type() != string(opportunity.Conflict) {
		t.Errorf("got %v; want a conflict", err)
	}
}

// The first run of a reference reports to the activity that the reference has no earlier run. A run
// after a reset and a run that continues an earlier run also have the memo of the first run, but do
// not report this.
func TestTheFirstRunOfAReference(t *testing.T) {
	memo, err := converter.GetDefaultDataConverter().ToPayload(true)
	if err != nil {
		t.Fatal(err)
	}
	says := &commonpb.Memo{Fields: map[string]*commonpb.Payload{lifecycle.MemoFirstStart: memo}}
	for name, c := range map[string]struct {
		info func(*workflow.Info)
		want bool
	}{
		"the first":      {func(i *workflow.Info) { i.Memo = says }, true},
		"without a memo": {func(*workflow.Info) {}, false},
		"that was reset": {func(i *workflow.Info) { i.Memo, i.OriginalRunID = says, "the run before" }, false},
		"that continues": {func(i *workflow.Info) { i.Memo, i.FirstRunID = says, "the run before" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			s.info = func(i *workflow.Info) {
				i.OriginalRunID, i.FirstRunID = i.WorkflowExecution.RunID, i.WorkflowExecution.RunID
				c.info(i)
				s.tms.mu.Lock()
				defer s.tms.mu.Unlock()
				s.tms.run = i.OriginalRunID
			}
			s.winAt(time.Second)
			s.run(start, nil)
			if s.tms.noEarlierRun != c.want {
				t.Errorf("the activity was told %v; want %v", s.tms.noEarlierRun, c.want)
			}
		})
	}
}

func TestTwoRecordsAreAQuestion(t *testing.T) {
	for _, answer := range []string{"confirm", "retry", "skip"} {
		t.Run(answer, func(t *testing.T) {
			s := newFixture(t)
			s.tms.taggedRecords = 2
			s.tms.create = func(n int) (bool, *activities.CreateResult, error) {
				return n > 1, map[bool]*activities.CreateResult{true: nil, false: {CallResult: activities.CallResult{Status: exchange.StatusUnknown}}}[n > 1], nil
			}
			s.at(10*time.Minute, func() {
				view := s.view()
				if view.Question == nil || view.Question.Request != opportunity.CreateRequestID {
					t.Fatalf("question: got %+v", view.Question)
				}
				switch answer {
				case "retry":
					s.env.SignalWorkflow("retry", opportunity.Retry{Request: opportunity.CreateRequestID})
				case "confirm":
					s.tms.exists, s.tms.step, s.tms.details = true, steps[0], opportunity.Details{Name: "First Aid course"}
					s.env.SignalWorkflow("confirm", opportunity.Confirm{Request: opportunity.CreateRequestID}) // without the record's id
					s.env.SignalWorkflow("confirm", opportunity.Confirm{Request: opportunity.CreateRequestID, Opportunity: id("Opportunity", 2)})
				case "skip":
					s.env.SignalWorkflow("skip", opportunity.Skip{Request: opportunity.CreateRequestID, Reason: "made by hand"})
				}
			})
			s.winAt(20 * time.Minute)
			s.run(start, nil)
			switch answer {
			case "retry":
				s.wantLog("create", "progress Opportunity", "progress Won")
				return
			case "confirm":
				s.wantLog("mark First Aid course of A-1", "progress Opportunity", "progress Won")
				return
			}
			var application *temporal.ApplicationError
			if err := s.env.GetWorkflowError(); !errors.As(err, &application) || application.Type() != string(opportunity.Skipped) {
				t.Errorf("got %v; want the run to fail as Skipped", err)
			}
			s.wantLog()
		})
	}
}

func TestAnOutageDuringTheStartDoesNotFillTheHistory(t *testing.T) {
	s := newFixture(t)
	s.tms.create = func(n int) (bool, *activities.CreateResult, error) {
		if n == 20 {
			s.env.SetContinueAsNewSuggested(true)
		}
		return false, &activities.CreateResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnreachable}}, nil
	}
	s.at(time.Minute, func() { s.env.SignalWorkflow("addInterests", add(1)) })
	s.run(start, nil)
	state := s.continued()
	if state.Start == nil || state.ID != "" || len(state.Queue) != 1 {
		t.Fatalf("carried: start %+v, queue %+v", state.Start, state.Queue)
	}
	next := newFixtureOver(t, s.tms)
	next.winAt(time.Minute)
	next.run(nil, state)
	next.wantLog("create", "interest 1", "progress Opportunity", "progress Won")
}

// An operator confirms that the run must create the record. The confirmation is sufficient even
// when the namespace shows earlier runs of the reference and two records have the reference tag.
// The question about the creation is carried over when the run continues as new.
func TestCreateAnyway(t *testing.T) {
	seen := func(s *fixture) func(int) (bool, *activities.CreateResult, error) {
		return func(int) (bool, *activities.CreateResult, error) {
			if s.tms.skippedEarlierRunCheck {
				return true, nil, nil
			}
			return false, &activities.CreateResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonEarlierRun}}, nil
		}
	}
	first := newFixture(t)
	first.tms.taggedRecords = 2
	first.tms.create = seen(first)
	first.at(time.Minute, func() { first.env.SignalWorkflow("addInterests", add(1)) })
	first.at(time.Hour, func() { first.env.SetContinueAsNewSuggested(true) })
	first.run(start, nil)
	state := first.continued()
	if state.Question == nil {
		t.Fatal("the question was lost")
	}
	second := newFixtureOver(t, first.tms)
	second.tms.create = seen(second)
	second.at(time.Minute, func() { second.env.SignalWorkflow("retry", opportunity.Retry{Request: opportunity.CreateRequestID}) })
	second.winAt(time.Hour)
	second.run(nil, state)
	second.wantLog("create", "interest 1", "progress Opportunity", "progress Won")
}

func TestARecordThatCannotBeLookedForIsAQuestion(t *testing.T) {
	s := newFixture(t)
	s.tms.create = func(n int) (bool, *activities.CreateResult, error) {
		return n > 1, nil, map[bool]error{false: errors.New("lost")}[n > 1]
	}
	s.tms.find = temporal.NewNonRetryableApplicationError("refused", "Rejected", nil)
	s.at(10*time.Minute, func() {
		if view := s.view(); view.Question == nil {
			t.Error("no question waits")
		}
		s.env.SignalWorkflow("retry", opportunity.Retry{Request: opportunity.CreateRequestID})
	})
	s.winAt(11 * time.Minute)
	s.run(start, nil)
	s.wantLog("create", "progress Opportunity", "progress Won")
}
