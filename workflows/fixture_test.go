package workflows_test

import (
	gocmp "cmp"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/entity"
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
	// losesActivity, when set, decides for every activity whether the server loses the activity
	// before a worker receives it.
	losesActivity func(name string) bool
	// byHand, when set, returns for every activity how somebody completes the activity by hand.
	byHand func(name string) *manualCompletion
	// failsAttempt, when set, returns for every attempt of an activity the error with which the
	// attempt fails before it starts.
	failsAttempt func(activity.Info) error
	// needsLookup, when set, reports that a change needs the look-up of a name first.
	needsLookup func(in activities.ApplyInput) *activities.ApplyResult
}

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

func newFixtureWith(t *testing.T, further ...interceptor.WorkerInterceptor) *fixture {
	t.Helper()
	s := newBareFixture(t, further...)
	s.tms.register(s.env)
	return s
}

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

func (discardLogger) Info(string, ...any) {}

func (discardLogger) Warn(string, ...any) {}

func (discardLogger) Error(string, ...any) {}

var start = opportunity.Start{Name: "First Aid course", Region: "UK"}

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

func (s *fixture) at(d time.Duration, do func()) { s.env.RegisterDelayedCallback(do, d) }

func (s *fixture) update(id, name string, payload any) { s.updateAll(id, name, payload) }

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

// addIn adds interests, each in a different item, so that a read-back can distinguish the
// interests.
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

func (s *fixture) winAt(d time.Duration) {
	s.at(d, func() {
		s.env.SignalWorkflow("progress", to("Opportunity"))
		s.env.SignalWorkflow("progress", to("Won"))
	})
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

func newFixtureOver(t *testing.T, over *fakeTMS) *fixture {
	s := newFixture(t)
	*s.tms = fakeTMS{
		exists: over.exists, taggedRecords: over.taggedRecords, step: over.step, details: over.details, items: over.items, reservation: over.reservation,
		log: over.log, batchLimit: -1, names: over.names, owner: over.owner,
	}
	return s
}
