package workflows_test

import (
	gocmp "cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/workflows"
)

// fixture is a workflow in virtual time with a fake TMS.
type fixture struct {
	t                *testing.T
	env              *testsuite.TestWorkflowEnvironment
	tms              *fakeTMS
	results          map[string]*updateResult
	searchAttributes temporal.SearchAttributes
	upserts          int
	// knownRun, when set, is the run id that the workflow knows as its own.
	knownRun string
	// info, when set, changes the workflow info of the run.
	info func(*workflow.Info)
	// losesCompletion, when set, decides for every activity whether its completion is lost.
	losesCompletion func() bool
	// losesActivity, when set, decides for every activity whether the server loses it before a worker
	// takes it.
	losesActivity func(name string) bool
	// byHand, when set, returns for every activity how somebody completes it by hand; nil means
	// that nobody does.
	byHand func(name string) *manualCompletion
	// failsAttempt, when set, returns for every attempt of an activity the error with which the
	// attempt fails before it starts.
	failsAttempt func(activity.Info) error
	// needsLookup, when set, reports that a change needs the look-up of a name first.
	needsLookup func(in activities.ApplyInput) *activities.ApplyResult
}

// updateResult is the result of an update.
type updateResult struct {
	rejected error
	outcome  opportunity.Outcome
	opened   opportunity.CreateOutcome
	err      error
	done     bool
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	return newFixtureWith(t)
}

// newFixtureWith returns a fixture with further interceptors.
func newFixtureWith(t *testing.T, further ...interceptor.WorkerInterceptor) *fixture {
	t.Helper()
	s := newBareFixture(t, further...)
	s.tms.register(s.env)
	return s
}

// newBareFixture returns a fixture without activities.
func newBareFixture(t *testing.T, further ...interceptor.WorkerInterceptor) *fixture {
	t.Helper()
	s := &fixture{t: t, tms: newFakeTMS(), results: map[string]*updateResult{}}
	s.env = newEnvironment(t, append([]interceptor.WorkerInterceptor{&unpackInterceptor{}, workflows.Interceptor(), &fixtureInterceptor{fixture: s}}, further...)...)
	s.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: lifecycle.WorkflowID("A-1"), TaskQueue: lifecycle.TaskQueue})
	s.env.SetStartTime(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
	s.env.SetTestTimeout(time.Minute)
	workflows.Register(s.env, workflows.Options{})
	return s
}

// fixtureInterceptor records the search attributes that an operator sees.
type fixtureInterceptor struct {
	interceptor.WorkerInterceptorBase
	fixture *fixture
}

type fixtureInbound struct {
	interceptor.WorkflowInboundInterceptorBase
	fixture *fixture
}

type fixtureOutbound struct {
	interceptor.WorkflowOutboundInterceptorBase
	fixture *fixture
}

func (l *fixtureInterceptor) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	in := &fixtureInbound{fixture: l.fixture}
	in.Next = next
	return in
}

func (l *fixtureInbound) Init(outbound interceptor.WorkflowOutboundInterceptor) error {
	out := &fixtureOutbound{fixture: l.fixture}
	out.Next = outbound
	return l.Next.Init(out)
}

func (l *fixtureOutbound) UpsertTypedSearchAttributes(ctx workflow.Context, changes ...temporal.SearchAttributeUpdate) error {
	l.fixture.upserts++
	l.fixture.searchAttributes = temporal.NewSearchAttributes(append([]temporal.SearchAttributeUpdate{l.fixture.searchAttributes.Copy()}, changes...)...)
	return l.Next.UpsertTypedSearchAttributes(ctx, changes...)
}

func (l *fixtureOutbound) GetInfo(ctx workflow.Context) *workflow.Info {
	info := *l.Next.GetInfo(ctx)
	info.OriginalRunID = gocmp.Or(l.fixture.knownRun, info.OriginalRunID)
	if l.fixture.info != nil {
		l.fixture.info(&info)
	}
	return &info
}

type discardLogger struct{}

func (discardLogger) Debug(string, ...any) {}
func (discardLogger) Info(string, ...any)  {}
func (discardLogger) Warn(string, ...any)  {}
func (discardLogger) Error(string, ...any) {}

var start = opportunity.Start{Name: "First Aid course", Region: "UK"}

// run runs the workflow to its end, from a start or from a carried state.
func (s *fixture) run(input any, carried *entity.State) {
	s.t.Helper()
	arguments := []any{input}
	if carried != nil {
		s.env.SetContinuedExecutionRunID("the run before")
		arguments = append(arguments, carried)
	}
	s.env.ExecuteWorkflow(lifecycle.WorkflowType, arguments...)
	if !s.env.IsWorkflowCompleted() {
		s.t.Fatal("the workflow did not end")
	}
}

// at schedules a function for a time of the virtual clock.
func (s *fixture) at(d time.Duration, do func()) { s.env.RegisterDelayedCallback(do, d) }

// update sends an update and stores its result under the id.
func (s *fixture) update(id, name string, payload any) { s.updateAll(id, name, payload) }

// updateAll is update with any number of payloads.
func (s *fixture) updateAll(id, name string, payloads ...any) {
	got := &updateResult{}
	s.results[id] = got
	s.env.UpdateWorkflow(name, id, &testsuite.TestUpdateCallback{
		OnReject: func(err error) { got.rejected, got.done = err, true },
		OnAccept: func() {},
		OnComplete: func(result any, err error) {
			got.err, got.done = err, true
			switch result := result.(type) {
			case opportunity.Outcome:
				got.outcome = result
			case opportunity.CreateOutcome:
				got.opened = result
			}
		},
	}, payloads...)
}

func (s *fixture) view() opportunity.View {
	s.t.Helper()
	value, err := s.env.QueryWorkflow(lifecycle.View.Name)
	if err != nil {
		s.t.Fatal(err)
	}
	var view opportunity.View
	if err := value.Get(&view); err != nil {
		s.t.Fatal(err)
	}
	return view
}

func (s *fixture) wantLog(want ...string) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.tms.log); diff != "" {
		s.t.Errorf("what took effect (-want +got):\n%s", diff)
	}
}

func (s *fixture) wantDone(ids ...string) {
	s.t.Helper()
	for _, id := range ids {
		got := s.results[id]
		if got == nil || !got.done || got.rejected != nil || got.err != nil || got.outcome.State != opportunity.Done {
			s.t.Errorf("update %s: got %+v; want done", id, got)
		}
	}
}

// wantRefused asserts that the update was rejected before it was accepted.
func (s *fixture) wantRefused(id string, want opportunity.ErrorType) {
	s.t.Helper()
	got := s.results[id]
	var application *temporal.ApplicationError
	if got == nil || !errors.As(got.rejected, &application) || application.Type() != string(want) {
		s.t.Errorf("update %s: got %+v; want it refused as %s", id, got, want)
	}
}

func interest(quantity int) opportunity.Interest {
	amount, err := opportunity.ParseAmount("199.90")
	if err != nil {
		panic(err)
	}
	return opportunity.Interest{Item: string(id("CourseTemplate", 11)), Quantity: quantity, UnitAmount: amount}
}

func add(quantities ...int) opportunity.AddInterests {
	var c opportunity.AddInterests
	for _, q := range quantities {
		c.Interests = append(c.Interests, interest(q))
	}
	return c
}

// addIn adds interests, each in a different item, so that a read-back can distinguish them.
func addIn(quantities ...int) opportunity.AddInterests {
	c := add(quantities...)
	for i, q := range quantities {
		c.Interests[i].Item = string(id("CourseTemplate", 100+q))
	}
	return c
}

func reserved(quantity int) opportunity.AddInterests {
	one := interest(quantity)
	one.Item, one.Reserve = string(id("Course", 1)), true
	return opportunity.AddInterests{Interests: opportunity.Interests{one}}
}

func to(step string) opportunity.Progress { return opportunity.Progress{To: step} }

// winAt sends the transitions that end the opportunity.
func (s *fixture) winAt(d time.Duration) {
	s.at(d, func() {
		s.env.SignalWorkflow("progress", to("Opportunity"))
		s.env.SignalWorkflow("progress", to("Won"))
	})
}

func TestStoryByUpdates(t *testing.T) {
	s := newFixture(t)
	s.at(0, func() { s.update("open", "opened", lifecycle.CreateOutcomeInput{Start: &start}) })
	s.at(1*time.Second, func() { s.update("u", "updateDetails", opportunity.UpdateDetails{Currency: "USD"}) })
	s.at(2*time.Second, func() { s.update("i", "addInterests", add(1, 2)) })
	s.at(3*time.Second, func() { s.update("r", "addInterests", reserved(3)) })
	s.at(4*time.Second, func() { s.update("p", "progress", to("Opportunity")) })
	s.at(5*time.Second, func() { s.update("again", "progress", to("Opportunity")) })
	s.at(6*time.Second, func() { s.update("won", "progress", to("Won")) })
	s.run(start, nil)

	s.wantDone("u", "i", "r", "p", "won")
	s.wantLog("create", "update USD", "interest 1", "interest 2", "interest 3", "extend", "progress Opportunity", "progress Won")
	if got := s.results["open"].opened; got.State != opportunity.Done || got.Opportunity != id("Opportunity", 2) || got.Step.Name != "Proposed" || got.Step.Stage.State != opportunity.Open {
		t.Errorf("opened: got %+v", got)
	}
	if got := s.results["again"].outcome; got.State != opportunity.Failed || got.Error.Type != opportunity.TransitionNotFound || got.Error.Label != "Transition Not Found" {
		t.Errorf("the same move again: got %+v; want the documented refusal", got)
	}
	if got := s.results["r"].outcome.Results[0]; got.Interest != id("OpportunityInterest", 3) || got.ReservedUntil == nil {
		t.Errorf("reserved interest: got %+v; want its id and until when its places are held", got)
	}
	var ended opportunity.RunResult
	if err := s.env.GetWorkflowResult(&ended); err != nil {
		t.Fatal(err)
	}
	if ended.State != opportunity.Won || ended.Interests != 3 || ended.Total.String() != "1199.40" || ended.FailedRequests != 1 {
		t.Errorf("result: got %+v", ended)
	}
	// A single command is one request, and no activity reads data that a response already contained.
	want := []string{"CreateOpportunity", "ApplyCommands", "ApplyCommands", "ApplyCommands", "ApplyCommands", "ApplyCommands", "ApplyCommands"}
	if diff := cmp.Diff(want, s.tms.calls); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestSignalsTakeEffectInTheOrderTheyCame(t *testing.T) {
	s := newFixture(t)
	s.at(0, func() { // all in one workflow task, before the record exists
		s.env.SignalWorkflow("updateDetails", opportunity.UpdateDetails{Name: "a"})
		s.env.SignalWorkflow("addInterests", add(1))
		s.env.SignalWorkflow("progress", to("Opportunity"))
		s.env.SignalWorkflow("addInterests", add(2, 3))
		s.env.SignalWorkflow("updateDetails", opportunity.UpdateDetails{Name: "b"})
		s.env.SignalWorkflow("progress", to("Won"))
		s.env.SignalWorkflow("addInterests", add(4))
	})
	s.run(start, nil)
	s.wantLog("create", "update a", "interest 1", "progress Opportunity", "interest 2", "interest 3", "update b", "progress Won", "interest 4")
	if got := len(s.tms.batches); got != 3 {
		t.Errorf("%d requests; want 3: what waits together travels together, and a move ends its request", got)
	}
}

func TestInterestsOfTheStartComeFirst(t *testing.T) {
	s := newFixture(t)
	with := start
	with.Interests = add(1, 2).Interests
	s.at(0, func() { s.env.SignalWorkflow("addInterests", add(3)) })
	s.winAt(time.Second)
	s.run(with, nil)
	s.wantLog("create", "interest 1", "interest 2", "interest 3", "progress Opportunity", "progress Won")
}

func TestAnswersAllInterests(t *testing.T) {
	s := newFixture(t)
	s.tms.answersAllInterests = true
	s.at(time.Second, func() { s.update("1", "addInterests", add(1, 2)) })
	s.at(2*time.Second, func() { s.update("2", "addInterests", add(3)) })
	s.winAt(3 * time.Second)
	s.run(start, nil)
	s.wantDone("1", "2")
	if got := s.results["1"].outcome.Results; got[0].Interest != id("OpportunityInterest", 1) || got[1].Interest != id("OpportunityInterest", 2) {
		t.Errorf("ids of interests: got %+v", got)
	}
	if got := s.results["2"].outcome.Results[0].Interest; got != id("OpportunityInterest", 3) {
		t.Errorf("id of the third interest: got %s", got)
	}
}

func TestRequestIDTakesEffectOnce(t *testing.T) {
	s := newFixture(t)
	named := add(1)
	named.RequestID = "order-7"
	s.at(1*time.Second, func() {
		s.env.SignalWorkflow("addInterests", named)
		s.env.SignalWorkflow("addInterests", named)
		s.update("a", "addInterests", named)
	})
	s.at(2*time.Second, func() { s.update("b", "addInterests", named) })
	s.at(3*time.Second, func() {
		other := add(2)
		other.RequestID = "order-7"
		s.update("c", "addInterests", other)
		s.env.SignalWorkflow("addInterests", other)
		moved := to("Won")
		moved.RequestID = "order-7"
		s.update("d", "progress", moved)
	})
	s.at(4*time.Second, func() {
		got := s.view()
		if len(got.Attention) != 1 || got.Attention[0].Kind != opportunity.AttentionFailed && got.Attention[0].Kind != opportunity.AttentionMessage {
			t.Errorf("attention: got %+v; want the refused signal", got.Attention)
		}
	})
	s.winAt(5 * time.Second)
	s.run(start, nil)
	s.wantDone("a", "b")
	s.wantRefused("c", opportunity.Conflict)
	s.wantRefused("d", opportunity.Conflict)
	s.wantLog("create", "interest 1", "progress Opportunity", "progress Won")
	if s.results["b"].outcome.Results[0].Interest != s.results["a"].outcome.Results[0].Interest {
		t.Error("the repeated request was answered differently")
	}
}

func TestMessagesThatCannotBeReadNeverVanish(t *testing.T) {
	s := newFixture(t)
	s.at(time.Second, func() {
		s.env.SignalWorkflow("addInterest", add(1))                                        // misspelt
		s.env.SignalWorkflow("addInterests", map[string]any{"interest": []int{1}})         // unknown member
		s.env.SignalWorkflow("progress", "Won")                                            // no object
		s.env.SignalWorkflow("progress", nil)                                              // nothing
		s.env.SignalWorkflow("progress", []byte{1, 2, 3})                                  // not JSON at all
		s.env.SignalWorkflow("updateDetails", opportunity.UpdateDetails{RequestID: "#17"}) // an id of Oppflow
		s.env.SignalWorkflow("addInterests", map[string]any{"interests": []any{map[string]any{
			"item": id("CourseTemplate", 11), "quantity": 1, "unitAmount": "1.00",
			"learners": []any{map[string]any{"firstName": "Melissa", "lastName": "Green", "email": "melissa"}},
		}}})
		s.env.SignalWorkflow("addInterests", add(9))
	})
	s.at(2*time.Second, func() {
		view := s.view()
		if view.Failures != 7 || len(view.Attention) != 7 {
			t.Errorf("got %d failures and %d attentions; want 7 of both", view.Failures, len(view.Attention))
		}
		text, err := json.Marshal(view)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(strings.ToLower(string(text)), "melissa") {
			t.Error("the view names a learner")
		}
	})
	s.winAt(3 * time.Second)
	s.run(start, nil)
	s.wantLog("create", "interest 9", "progress Opportunity", "progress Won")
}

func TestUpdatesAreRefusedBeforeTheyAreWritten(t *testing.T) {
	s := newFixture(t)
	other := start
	other.Region = "US"
	s.at(time.Second, func() {
		s.update("empty", "addInterests", opportunity.AddInterests{})
		s.update("amount", "addInterests", map[string]any{"interests": []any{map[string]any{"item": id("Course", 1), "quantity": 1, "unitAmount": 199.90}}})
		s.update("unknown", "progress", map[string]any{"to": "Won", "force": true})
		s.update("open", "opened", lifecycle.CreateOutcomeInput{Start: &other})
		s.update("retry", "retry", opportunity.Retry{Request: "x"})
	})
	s.winAt(2 * time.Second)
	s.run(start, nil)
	s.wantRefused("empty", opportunity.Invalid)
	s.wantRefused("amount", opportunity.Invalid)
	s.wantRefused("unknown", opportunity.Invalid)
	s.wantRefused("open", opportunity.Conflict)
	s.wantRefused("retry", opportunity.NotFound)
	s.wantLog("create", "progress Opportunity", "progress Won")
}

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

// resultWithStatus returns the result of a request with the change status.
func resultWithStatus(t exchange.ChangeStatus) *activities.ApplyResult {
	return &activities.ApplyResult{CallResult: activities.CallResult{Status: t}}
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
// the record: the effect of such a request does not count as the effect of a message to this run.
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

// A record that is found is not adopted when the run that created it had another start.
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

// Only the first run of a reference passes to the activity that no earlier run exists. A run after
// a reset, or a run that continues another run, does not, though it has the memo of the first run.
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

// Each case loses the response to the first request. Reading back decides which changes were made
// by then, and in the end each change was made once.
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

// Reading back cannot distinguish interests in the same item, unless they are equal in all members;
// then it does not matter which of them is on the record.
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
				// Somebody adds another interest by hand in the meantime.
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

func TestNotSentIsSentAgainAndNobodyIsCharged(t *testing.T) {
	s := newFixture(t)
	s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if n > 8 {
			return true, nil, nil
		}
		return false, &activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnreachable}}, nil
	}
	told := false
	s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", add(1)) })
	s.at(2*time.Minute, func() {
		for _, a := range s.view().Attention {
			told = told || a.Kind == opportunity.AttentionAPI
		}
	})
	s.at(30*time.Minute, func() {
		if view := s.view(); len(view.Attention) > 0 || view.Failures > 0 {
			t.Errorf("after the API came back: %d failures, attention %+v", view.Failures, view.Attention)
		}
	})
	s.winAt(31 * time.Minute)
	s.run(start, nil)
	s.wantLog("create", "interest 1", "progress Opportunity", "progress Won")
	if !told {
		t.Error("nobody was told that the API is out of reach")
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	s := newFixture(t)
	var sent []time.Time
	s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		sent = append(sent, s.env.Now())
		if n > 1 {
			return true, nil, nil
		}
		return false, &activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonRateLimit, RetryAfter: 4 * time.Minute}}, nil
	}
	s.winAt(time.Second)
	s.run(start, nil)
	if wait := sent[1].Sub(sent[0]); wait < 4*time.Minute {
		t.Errorf("sent again after %s; the API asked for 4 minutes", wait)
	}
}

func TestRefusedDocumentIsSentOneByOne(t *testing.T) {
	s := newFixture(t)
	s.tms.apply = func(_ int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		for _, m := range in.Changes {
			if m.Interest != nil && m.Interest.Quantity == 2 {
				return false, &activities.ApplyResult{CallResult: activities.CallResult{
					Status: exchange.StatusRejected, Error: &opportunity.Error{Type: opportunity.Rejected, Label: "Request Refused"},
				}}, nil
			}
		}
		return true, nil, nil
	}
	s.at(0, func() {
		s.update("good", "addInterests", add(1))
		s.update("mixed", "addInterests", add(5, 2, 6))
		s.update("after", "addInterests", add(7))
	})
	s.winAt(time.Minute)
	s.run(start, nil)
	s.wantLog("create", "interest 1", "interest 5", "interest 6", "interest 7", "progress Opportunity", "progress Won")
	s.wantDone("good", "mixed", "after")
	if got := s.results["mixed"].outcome.Results; got[0].Error != nil || got[1].Error == nil || got[2].Error != nil {
		t.Errorf("results: got %+v; want only the second to fail", got)
	}
}

func TestAddInterestsFailsOnlyWhenNoneIsAdded(t *testing.T) {
	s := newFixture(t)
	s.at(time.Second, func() {
		s.update("some", "addInterests", add(1, 13))
		s.update("none", "addInterests", add(13, 13))
	})
	s.winAt(time.Minute)
	s.run(start, nil)
	s.wantDone("some")
	if got := s.results["none"].outcome; got.State != opportunity.Failed || got.Error.Label != "Sold Out" || len(got.Results) != 2 {
		t.Errorf("none stands: got %+v", got)
	}
}

func TestNamesAreResolvedOnce(t *testing.T) {
	s := newFixture(t)
	won := exchange.UnresolvedName{Type: opportunity.TypeStep, Text: "Won"}
	s.tms.names[won] = steps[2].ID
	s.tms.names[exchange.UnresolvedName{Type: opportunity.TypeStep, Text: "Opportunity"}] = steps[1].ID
	s.tms.apply = func(_ int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		for i, m := range in.Changes {
			for _, name := range m.Names() {
				found := false
				for _, one := range in.ResolvedNames {
					if found = one.UnresolvedName == name; found {
						in.Changes[i].Progress = &opportunity.Progress{To: string(one.ID)}
						break
					}
				}
				if !found {
					return false, &activities.ApplyResult{CallResult: activities.CallResult{
						Status: exchange.StatusNotSent, Reason: activities.ReasonUnresolvedNames, MissingNames: []exchange.UnresolvedName{name},
					}}, nil
				}
			}
		}
		return true, nil, nil
	}
	s.at(time.Second, func() {
		s.update("nowhere", "progress", to("Nowhere"))
		s.env.SignalWorkflow("progress", to("Opportunity"))
		s.env.SignalWorkflow("progress", to("Opportunity"))
		s.env.SignalWorkflow("progress", to("Won"))
	})
	s.run(start, nil)
	s.wantLog("create", "progress Opportunity", "progress Won")
	if got := s.results["nowhere"].outcome; got.State != opportunity.Failed || got.Error.Type != opportunity.NotFound {
		t.Errorf("unknown step: got %+v", got)
	}
	if n := strings.Count(strings.Join(s.tms.calls, " "), activities.ResolveNames); n != 3 {
		t.Errorf("%d look-ups; want one for each of three names", n)
	}
}

func TestCancelAnswersWaitingCommandsAndReleasesTheReservation(t *testing.T) {
	s := newFixture(t)
	blocked := false
	s.tms.apply = func(_ int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if in.Changes[0].Update != nil && !blocked {
			blocked = true
			return false, &activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnreachable, RetryAfter: time.Hour}}, nil
		}
		return true, nil, nil
	}
	s.at(1*time.Second, func() { s.update("r", "addInterests", reserved(2)) })
	s.at(2*time.Second, func() {
		s.update("u", "updateDetails", opportunity.UpdateDetails{Currency: "USD"})
		s.env.SignalWorkflow("progress", to("Opportunity"))
	})
	s.at(10*time.Second, s.env.CancelWorkflow)
	s.run(start, nil)
	var cancelled *temporal.CanceledError
	if err := s.env.GetWorkflowError(); !errors.As(err, &cancelled) {
		t.Errorf("got %v; want Canceled", err)
	}
	s.wantLog("create", "interest 2", "extend", "release")
	if got := s.results["u"].outcome; got.State != opportunity.Failed || got.Error.Type != opportunity.Closed {
		t.Errorf("the update that waited: got %+v; want it failed as Closed", got)
	}
	if view := s.view(); view.Step.Name != "Proposed" || len(view.Queue) != 0 || view.Failures != 2 {
		t.Errorf("view: got %+v", view)
	}
}

// continued asserts that the run continued as new and returns the state that the run carries over.
func (s *fixture) continued() *entity.State {
	s.t.Helper()
	var next *workflow.ContinueAsNewError
	if err := s.env.GetWorkflowError(); !errors.As(err, &next) {
		s.t.Fatalf("got %v; want the run to continue as new", err)
	}
	if next.WorkflowType.Name != lifecycle.WorkflowType {
		s.t.Errorf("continues as %s", next.WorkflowType.Name)
	}
	var none any
	state := new(entity.State)
	if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &none, &state); err != nil {
		s.t.Fatal(err)
	}
	return state
}

func TestContinuingLosesNothing(t *testing.T) {
	first := newFixture(t)
	named := add(1)
	named.RequestID = "order-7"
	first.tms.apply = func(_ int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if in.Changes[len(in.Changes)-1].Progress != nil {
			first.env.SetContinueAsNewSuggested(true)
			// These come while the last request of the run is under way.
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

// newFixtureOver sets up another run with the same record.
func newFixtureOver(t *testing.T, over *fakeTMS) *fixture {
	s := newFixture(t)
	*s.tms = fakeTMS{
		exists: over.exists, taggedRecords: over.taggedRecords, step: over.step, details: over.details, items: over.items, reservation: over.reservation,
		log: over.log, batchLimit: -1, names: over.names, owner: over.owner,
	}
	return s
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

// An operator confirms that the run should create the record. The confirmation holds although
// earlier runs of the reference are known and two records have its reference tag. The question is
// carried over when the run continues as new.
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

func TestAWorkerWithoutTheInterceptorEndsNothing(t *testing.T) {
	env := newEnvironment(t)
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: lifecycle.WorkflowID("A-1")})
	workflows.Register(env, workflows.Options{})
	env.ExecuteWorkflow(lifecycle.WorkflowType, start)
	var panicked *temporal.PanicError
	if err := env.GetWorkflowError(); !errors.As(err, &panicked) {
		t.Errorf("got %v; want the task to fail", err)
	}
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

// Consecutive updates share a timer, and each update still returns after its own twenty seconds.
func TestUpdatesAreAnsweredInTime(t *testing.T) {
	s := newFixture(t)
	timers := 0
	s.env.SetOnTimerScheduledListener(func(string, time.Duration) { timers++ })
	s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if n <= 3 {
			return true, nil, nil
		}
		return false, &activities.ApplyResult{CallResult: activities.CallResult{
			Status: exchange.StatusNotSent, Reason: activities.ReasonUnreachable, RetryAfter: 24 * time.Hour,
		}}, nil
	}
	for n := range 3 {
		s.at(time.Duration(n+1)*time.Second, func() { s.update(fmt.Sprint(n), "addInterests", add(n+1)) })
	}
	sent := map[string]time.Time{}
	for _, n := range []int{7, 13, 26} {
		s.at(time.Duration(n)*time.Second, func() {
			id := fmt.Sprint("late ", n)
			sent[id] = s.env.Now()
			s.update(id, "addInterests", add(n))
		})
	}
	for n := range 120 {
		s.at(time.Duration(n)*500*time.Millisecond, func() {
			for id, at := range sent {
				waited := s.env.Now().Sub(at)
				if done := s.results[id].done; done != (waited >= 20*time.Second) && (waited < 20*time.Second || waited > 22*time.Second) {
					t.Errorf("%s after %s: answered %t", id, waited, done)
				}
			}
		})
	}
	s.at(2*time.Minute, s.env.CancelWorkflow)
	s.run(start, nil)
	s.wantDone("0", "1", "2")
	for id := range sent {
		if got := s.results[id]; got.outcome.State != opportunity.Pending {
			t.Errorf("%s: got %+v; want pending", id, got)
		}
	}
	if timers > 6 { // one from the first update, one for each late update, one to send again
		t.Errorf("%d timers for 6 updates and a pause", timers)
	}
}

// A caller that sends a request again waits for its outcome, so no attention is raised for a
// failure. This holds for a request from an update that returned pending, and for a request from a
// signal.
func TestAskingAgainIsWaiting(t *testing.T) {
	s := newFixture(t)
	s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if n > 1 {
			return true, nil, nil
		}
		return false, &activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnreachable, RetryAfter: time.Minute}}, nil
	}
	wrong := opportunity.Progress{To: "Won", RequestID: "wrong"}
	signalled := opportunity.Progress{To: "Won", RequestID: "signalled"}
	forgotten := opportunity.Progress{To: "Won", RequestID: "forgotten"}
	s.at(time.Second, func() { s.update("first", "progress", wrong) })
	s.at(2*time.Second, func() {
		s.env.SignalWorkflow("progress", signalled)
		s.env.SignalWorkflow("progress", forgotten)
	})
	s.at(50*time.Second, func() {
		s.update("again", "progress", wrong)
		s.update("asked", "progress", signalled)
	})
	s.at(5*time.Minute, func() {
		if got := s.view().Attention; len(got) != 1 || got[0].Request != "forgotten" {
			t.Errorf("attention: %+v", got)
		}
	})
	s.winAt(10 * time.Minute)
	s.run(start, nil)
	if got := s.results["first"].outcome.State; got != opportunity.Pending {
		t.Errorf("the first answer is %s; the test shows nothing", got)
	}
	for _, id := range []string{"again", "asked"} {
		if got := s.results[id]; got.outcome.Error == nil || got.outcome.Error.Type != opportunity.TransitionNotFound {
			t.Errorf("%s is answered %+v", id, got)
		}
	}
}
