package workflows_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

var adoptStart = opportunity.Start{Adopt: id("Opportunity", 2)}

func createRecord(s *fixture) {
	price := interest(1).UnitAmount
	s.tms.exists, s.tms.step, s.tms.details = true, steps[0], opportunity.Details{Name: "By hand", Currency: "GBP", Region: opportunity.Ref{ID: id("Region", "UK"), Name: "UK"}}
	for n := range 3 { // more than a page
		s.tms.items = append(s.tms.items, exchange.InterestRef{ID: id("OpportunityInterest", fmt.Sprint("hand", n)), Item: id("Course", n), Quantity: 1, UnitAmount: &price})
	}
}

// wantFailedAs asserts that the run failed with an error of the given type.
func (s *fixture) wantFailedAs(want opportunity.ErrorType, text string) {
	s.t.Helper()
	var application *temporal.ApplicationError
	if err := s.env.GetWorkflowError(); !errors.As(err, &application) || application.Type() != string(want) || !strings.Contains(application.Message(), text) {
		s.t.Errorf("got %v; want the run to fail as %s: %s", err, want, text)
	}
}

func TestAdopt(t *testing.T) {
	marking := func(fate exchange.ChangeStatus, reason activities.Reason) *activities.CallResult {
		return &activities.CallResult{Status: fate, Reason: reason}
	}
	const mark = "mark By hand of A-1"
	for _, c := range []struct {
		name    string
		prepare func(*fixture)
		log     []string // before the requests of the callers
		marked  int      // number of requests for the reference tag
	}{
		{"nobody's", func(*fixture) {}, []string{mark}, 1},
		{"ours already", func(s *fixture) { s.tms.owner = "A-1" }, nil, 0},
		{"nobody can tell", func(s *fixture) { s.tms.ownerUnknown = true }, nil, 0},
		{"the marking was lost, and had happened", func(s *fixture) {
			s.tms.tag = func(int) (bool, *activities.CallResult, error) { return true, nil, errors.New("lost") }
		}, []string{mark}, 1},
		{"the marking was lost, and had not happened", func(s *fixture) {
			s.tms.tag = func(n int) (bool, *activities.CallResult, error) {
				return n > 1, map[bool]*activities.CallResult{false: marking(exchange.StatusUnknown, "")}[n > 1], nil
			}
		}, []string{mark}, 2},
		{"the marking was lost, and happens late", func(s *fixture) {
			var lost time.Time
			s.tms.tag = func(int) (bool, *activities.CallResult, error) {
				lost = s.env.Now()
				return false, marking(exchange.StatusUnknown, ""), nil
			}
			s.tms.read = func(int) error {
				if !lost.IsZero() && s.env.Now().Sub(lost) > 50*time.Second {
					s.tms.owner = "A-1"
				}
				return nil
			}
		}, nil, 1},
		{"the marking could not be sent", func(s *fixture) {
			s.tms.tag = func(n int) (bool, *activities.CallResult, error) {
				return n > 3, map[bool]*activities.CallResult{false: marking(exchange.StatusNotSent, activities.ReasonUnreachable)}[n > 3], nil
			}
		}, []string{mark}, 4},
		{"the marking was overlooked", func(s *fixture) {
			s.tms.tag = func(n int) (bool, *activities.CallResult, error) { return n > 1, nil, nil }
		}, []string{mark}, 2},
		{"reading fails for a while", func(s *fixture) {
			s.tms.read = func(n int) error {
				if n%2 == 1 {
					return errors.New("out of reach")
				}
				return nil
			}
		}, []string{mark}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newFixture(t)
			createRecord(s)
			c.prepare(s)
			s.at(0, func() {
				s.update("open", "opened", lifecycle.CreateOutcomeInput{Start: &adoptStart})
				s.env.SignalWorkflow("addInterests", add(7))
			})
			s.at(5*time.Minute, func() {
				view := s.view()
				if view.Opportunity != id("Opportunity", 2) || len(view.Interests) != 4 || view.Details.Name != "By hand" || view.Details.Region.Name != "UK" || view.Step.Name != "Proposed" {
					t.Errorf("view %+v", view)
				}
				s.update("open again", "opened", lifecycle.CreateOutcomeInput{Start: &adoptStart})
				other := opportunity.Start{Adopt: id("Opportunity", 3)}
				s.update("open another", "opened", lifecycle.CreateOutcomeInput{Start: &other})
			})
			s.winAt(6 * time.Minute)
			s.run(adoptStart, nil)
			s.wantLog(append(c.log, "interest 7", "progress Opportunity", "progress Won")...)
			if s.tms.creates > 0 || s.tms.tagRequests != c.marked {
				t.Errorf("%d creates, %d markings; want none and %d", s.tms.creates, s.tms.tagRequests, c.marked)
			}
			if got := s.results["open again"].opened; got.State != opportunity.Done || got.Opportunity != id("Opportunity", 2) || got.Details.Name != "By hand" {
				t.Errorf("opened: got %+v", got)
			}
			s.wantRefused("open another", opportunity.Conflict)
			if got := s.ended(); got.Interests != 4 || got.State != opportunity.Won {
				t.Errorf("result: got %+v", got)
			}
		})
	}
}

func TestAdoptThatCannotBe(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(*fixture)
		want    opportunity.ErrorType
		text    string
	}{
		{"another reference's", func(s *fixture) { s.tms.owner = "B-2" }, opportunity.Conflict, "another reference"},
		{"there is none", func(s *fixture) { s.tms.exists = false }, opportunity.NotFound, "adopt: "},
		{"the API refuses the mark", func(s *fixture) {
			s.tms.tag = func(int) (bool, *activities.CallResult, error) {
				return false, &activities.CallResult{Status: exchange.StatusRejected, Error: &opportunity.Error{Type: opportunity.Rejected, Label: "Locked", Message: "the record is locked"}}, nil
			}
		}, opportunity.Rejected, "the record is locked"},
		{"the API takes the mark and loses it", func(s *fixture) {
			s.tms.tag = func(int) (bool, *activities.CallResult, error) { return false, nil, nil }
		}, opportunity.Rejected, "does not have the reference tag"},
		{"reading is refused", func(s *fixture) {
			s.tms.read = func(int) error {
				return temporal.NewNonRetryableApplicationError("no right to read", string(opportunity.Rejected), nil)
			}
		}, opportunity.Rejected, "no right to read"},
		{"another was faster", func(s *fixture) {
			s.tms.tag = func(int) (bool, *activities.CallResult, error) {
				s.tms.owner = "B-2"
				return false, nil, errors.New("lost")
			}
		}, opportunity.Conflict, "another reference"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newFixture(t)
			createRecord(s)
			c.prepare(s)
			s.at(0, func() {
				s.update("open", "opened", lifecycle.CreateOutcomeInput{Start: &adoptStart})
				s.update("i", "addInterests", add(7))
			})
			s.run(adoptStart, nil)
			s.wantFailedAs(c.want, c.text)
			s.wantLog()
			if len(s.tms.calls) > 8 {
				t.Errorf("%d calls: %v", len(s.tms.calls), s.tms.calls)
			}
			// A caller that waited for less than twenty seconds received the reason why the adoption failed.
			var application *temporal.ApplicationError
			if got := s.results["open"]; got.opened.State != opportunity.Pending && (!errors.As(got.err, &application) || application.Type() != string(c.want)) {
				t.Errorf("opened: got %+v", got)
			}
			if got, err := s.outcomeOf(lifecycle.OutcomeInput{RequestID: "i"}); err != nil || got.State != opportunity.Failed || got.Error.Type != opportunity.Closed {
				t.Errorf("the command: got %+v, %v", got, err)
			}
		})
	}
}

// An adoption waits for the API or for the end of a pause. When an operator closes the opportunity,
// or somebody cancels the workflow, the run ends within a minute.
func TestAdoptionIsEnded(t *testing.T) {
	for name, prepare := range map[string]func(*fixture){
		"while it is read": func(s *fixture) { s.tms.read = func(int) error { return errors.New("out of reach") } },
		"while it is marked": func(s *fixture) {
			s.tms.tag = func(int) (bool, *activities.CallResult, error) {
				sending := unreachableResult(24 * time.Hour)
				return false, &sending, nil
			}
		},
		"while paused": func(s *fixture) { s.at(0, func() { s.env.SignalWorkflow("pause", opportunity.Pause{}) }) },
	} {
		for _, end := range []string{"close", "cancel"} {
			t.Run(end+" "+name, func(t *testing.T) {
				s := newFixture(t)
				createRecord(s)
				prepare(s)
				s.at(0, func() { s.env.SignalWorkflow("addInterests", add(7)) })
				s.at(9*time.Second, func() { s.update("open", "opened", lifecycle.CreateOutcomeInput{Start: &adoptStart}) })
				s.at(10*time.Second, func() {
					if end == "close" {
						s.update("c", "close", closeCommand)
					} else {
						s.env.CancelWorkflow()
					}
				})
				begun := s.env.Now()
				s.run(adoptStart, nil)
				if took := s.env.Now().Sub(begun); took > time.Minute {
					t.Errorf("it took %s to end", took)
				}
				s.wantLog()
				if end == "cancel" {
					var cancelled *temporal.CanceledError
					if err := s.env.GetWorkflowError(); !errors.As(err, &cancelled) {
						t.Errorf("got %v; want Canceled", err)
					}
					return
				}
				s.wantDone("c")
				want := opportunity.RunResult{Reference: "A-1", CloseReason: "sold elsewhere", FailedRequests: 1}
				if diff := cmp.Diff(want, s.ended()); diff != "" {
					t.Error(diff)
				}
				var application *temporal.ApplicationError
				if got := s.results["open"]; !errors.As(got.err, &application) || application.Type() != string(opportunity.Closed) {
					t.Errorf("opened: got %+v; want Closed", got)
				}
			})
		}
	}
}

// When two references adopt one record at the same time, only one reference becomes the owner of
// the record.
func TestTwoReferencesAdoptOneRecord(t *testing.T) {
	s := newFixture(t)
	createRecord(s)
	var asked []time.Time
	s.tms.tag = func(n int) (bool, *activities.CallResult, error) {
		asked = append(asked, s.env.Now())
		if n == 1 { // tagging takes some time
			return false, &activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonRateLimit, RetryAfter: 12 * time.Second}, nil
		}
		return true, nil, nil
	}
	s.adoptByTwo(10 * time.Minute)
	var ends []string
	if err := s.env.GetWorkflowResult(&ends); err != nil {
		t.Fatal(err)
	}
	slices.Sort(ends)
	if diff := cmp.Diff([]string{string(opportunity.Conflict), "sold elsewhere"}, ends); diff != "" {
		t.Error(diff)
	}
	// The second reference must read the record after the first reference tagged the record. Otherwise
	// both references could find the record without a reference tag.
	if len(asked) != 2 || asked[1].Sub(asked[0]) < 12*time.Second {
		t.Errorf("marking was asked for at %v", asked)
	}
	if marks := strings.Count(strings.Join(s.tms.log, "|"), "mark "); marks != 1 {
		t.Errorf("marked %d times: %v", marks, s.tms.log)
	}
}

// adoptByTwo lets the references A-1 and B-2 adopt one record, and closes both opportunities after
// the duration open. The result of the workflow is how each of the two opportunities ended.
func (s *fixture) adoptByTwo(open time.Duration) {
	both := func(ctx workflow.Context) ([]string, error) {
		references := []opportunity.Reference{"A-1", "B-2"}
		var runs []workflow.ChildWorkflowFuture
		for _, reference := range references {
			runs = append(runs, workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
				WorkflowID: lifecycle.WorkflowID(reference), ParentClosePolicy: enums.PARENT_CLOSE_POLICY_ABANDON,
			}), lifecycle.WorkflowType, adoptStart))
		}
		for _, run := range runs {
			if err := run.GetChildWorkflowExecution().Get(ctx, nil); err != nil {
				return nil, err
			}
		}
		if err := workflow.Sleep(ctx, open); err != nil {
			return nil, err
		}
		var ends []string
		for _, run := range runs {
			run.SignalChildWorkflow(ctx, "close", closeCommand)
			var ended opportunity.RunResult
			err := run.Get(ctx, &ended)
			var application *temporal.ApplicationError
			switch {
			case errors.As(err, &application):
				ends = append(ends, application.Type())
			case err != nil:
				return nil, err
			default:
				ends = append(ends, ended.CloseReason)
			}
		}
		return ends, nil
	}
	s.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "both", TaskQueue: lifecycle.TaskQueue})
	s.env.RegisterWorkflowWithOptions(both, workflow.RegisterOptions{Name: "both"})
	s.env.SetTestTimeout(5 * time.Second)
	s.env.ExecuteWorkflow("both")
}

// Two references adopt one record that cannot be read for half an hour. The views of both
// opportunities show within two minutes why the runs wait, and the runs start few adoptions. When
// the record can be read, one of the two references adopts the record.
func TestTwoReferencesWaitForARecordThatCannotBeRead(t *testing.T) {
	s := newFixture(t)
	createRecord(s)
	const outage = 30 * time.Minute
	s.failsAttempt = func(info activity.Info) error {
		if info.ActivityType.Name == activities.ReadOpportunity && s.env.Now().Sub(startTime) < outage {
			return temporal.NewApplicationError("no answer", string(activities.ReasonUnreachable))
		}
		return nil
	}
	adoptions := 0
	s.env.SetOnChildWorkflowStartedListener(func(info *workflow.Info, _ workflow.Context, _ converter.EncodedValues) {
		if info.WorkflowType.Name != lifecycle.WorkflowType {
			adoptions++
		}
	})
	attention := func(reference opportunity.Reference) []opportunity.Attention {
		value, err := s.env.QueryWorkflowByID(lifecycle.WorkflowID(reference), "view")
		if err != nil {
			t.Fatal(err)
		}
		var view opportunity.View
		if err := value.Get(&view); err != nil {
			t.Fatal(err)
		}
		return view.Attention
	}
	s.at(3*time.Minute, func() {
		for _, reference := range []opportunity.Reference{"A-1", "B-2"} {
			if got := attention(reference); len(got) != 1 || got[0].Kind != opportunity.AttentionAPI || got[0].Reason == "" {
				t.Errorf("attention of %s after three minutes: %+v; want api with its reason", reference, got)
			}
		}
	})
	s.at(outage, func() {
		if adoptions > 20 {
			t.Errorf("%d adoptions were started in half an hour", adoptions)
		}
	})
	s.adoptByTwo(time.Hour)
	var ends []string
	if err := s.env.GetWorkflowResult(&ends); err != nil {
		t.Fatal(err)
	}
	slices.Sort(ends)
	if diff := cmp.Diff([]string{string(opportunity.Conflict), "sold elsewhere"}, ends); diff != "" {
		t.Error(diff)
	}
}
