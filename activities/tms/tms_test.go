package tms_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox"
)

// id makes a global id of the API.
func id(typ string, key any) opportunity.ID {
	return opportunity.ID(base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s:%v", typ, key)))
}

// Records of the sandbox's catalogue.
var (
	regionDR = id(opportunity.TypeRegion, "DR")
	proposed = id(opportunity.TypeStep, 3)
	stepTwo  = id(opportunity.TypeStep, 4)
	stepWon  = id(opportunity.TypeStep, 5)
	course   = id(opportunity.TypeCourse, 11)
	event    = id(opportunity.TypeEvent, 1)
	path     = id(opportunity.TypePath, 1)
	tokens   = id(opportunity.TypeTokens, "8848a3b38adf45db8ff60fafcbd3b3f6")
	contact  = id(opportunity.TypeContact, 2)
)

// fakeNamespace is the part of Temporal that the activities use.
type fakeNamespace struct {
	client.Client
	runs    []string
	err     error
	queries []string
	// earlierRuns are the earlier runs that the namespace remembers.
	earlierRuns map[string]earlierRun
	// described is the description of the run that asks.
	described func() (*workflowservice.DescribeWorkflowExecutionResponse, error)
}

// earlierRun is an earlier run: its start or the state that it continued from the run before
// it, and how it failed.
type earlierRun struct {
	terminated time.Time // zero where the run was not terminated
	start      *opportunity.Start
	carried    *entity.State
	failed     opportunity.ErrorType
}

// historyIterator iterates over the events of a history.
type historyIterator struct{ remaining []*historypb.HistoryEvent }

func (e *historyIterator) HasNext() bool { return len(e.remaining) > 0 }

func (e *historyIterator) Next() (*historypb.HistoryEvent, error) {
	next := e.remaining[0]
	e.remaining = e.remaining[1:]
	return next, nil
}

func (n *fakeNamespace) GetWorkflowHistory(_ context.Context, _, run string, _ bool, filter enums.HistoryEventFilterType) client.HistoryEventIterator {
	had, known := n.earlierRuns[run]
	switch {
	case !known:
		return &historyIterator{}
	case filter == enums.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT:
		return &historyIterator{[]*historypb.HistoryEvent{{Attributes: &historypb.HistoryEvent_WorkflowExecutionFailedEventAttributes{
			WorkflowExecutionFailedEventAttributes: &historypb.WorkflowExecutionFailedEventAttributes{Failure: &failurepb.Failure{
				FailureInfo: &failurepb.Failure_ApplicationFailureInfo{ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: string(had.failed)}},
			}},
		}}}}
	}
	input, err := converter.GetDefaultDataConverter().ToPayloads(had.start, had.carried)
	if err != nil {
		return &historyIterator{}
	}
	return &historyIterator{[]*historypb.HistoryEvent{{Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
		WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{Input: input},
	}}}}
}

func (n *fakeNamespace) DescribeWorkflow(context.Context, string, string) (*client.WorkflowExecutionDescription, error) {
	described, err := n.described()
	return &client.WorkflowExecutionDescription{RawResponse: described}, err
}

func (n *fakeNamespace) ListWorkflow(_ context.Context, in *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	n.queries = append(n.queries, in.GetQuery())
	out := &workflowservice.ListWorkflowExecutionsResponse{}
	for _, run := range n.runs {
		status := enums.WORKFLOW_EXECUTION_STATUS_CANCELED
		if n.earlierRuns[run].failed != "" {
			status = enums.WORKFLOW_EXECUTION_STATUS_FAILED
		}
		info := &workflowpb.WorkflowExecutionInfo{Execution: &commonpb.WorkflowExecution{RunId: run}, Status: status}
		if ended := n.earlierRuns[run].terminated; !ended.IsZero() {
			info.Status, info.CloseTime = enums.WORKFLOW_EXECUTION_STATUS_TERMINATED, timestamppb.New(ended)
		}
		out.Executions = append(out.Executions, info)
	}
	return out, n.err
}

// fixture holds a worker's activities over a sandbox. The fixture counts each request and can
// respond to it in place of the sandbox.
type fixture struct {
	t          *testing.T
	activities *tms.Activities // of the worker
	env        *testsuite.TestActivityEnvironment
	namespace  *fakeNamespace
	url        string
	token      string
	sandbox    *sandbox.Sandbox
	// options are the options of the next worker, except for the reference tag. playbook is in
	// force on that worker, unless the options say otherwise.
	options  tms.Options
	playbook tms.VersionedPlaybook

	mu       sync.Mutex
	requests int
	// intercept, when set, gets each request first. intercept returns true when it has responded
	// to the request, and false to pass the request to the sandbox.
	intercept   func(w http.ResponseWriter, r *http.Request) bool
	clockOffset time.Duration // how far the clock is moved forward
}

func (r *fixture) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Add(r.clockOffset)
}

// requestCount returns how many requests came after its previous call.
func (r *fixture) requestCount() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.requests
	r.requests = 0
	return n
}

func (r *fixture) interceptRequests(f func(http.ResponseWriter, *http.Request) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.intercept = f
}

// respondWithStatus responds to every request with the status.
func (r *fixture) respondWithStatus(code int, header ...string) {
	r.interceptRequests(func(w http.ResponseWriter, _ *http.Request) bool {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		return true
	})
}

func newFixture(t *testing.T, mark tms.ReferenceTag) *fixture {
	t.Helper()
	return newFixtureAssuming(t, mark, nil)
}

// newFixtureAssuming returns a fixture over a sandbox with other values for some assumptions.
func newFixtureAssuming(t *testing.T, mark tms.ReferenceTag, assume map[string]string) *fixture {
	t.Helper()
	return newFixtureIn(t, mark, sandbox.Options{Assumptions: assume})
}

// newFixtureIn returns a fixture over a sandbox with the options.
func newFixtureIn(t *testing.T, mark tms.ReferenceTag, o sandbox.Options) *fixture {
	t.Helper()
	r := &fixture{t: t, namespace: &fakeNamespace{}}
	o.Now, o.Logger = r.now, slog.New(slog.NewTextHandler(io.Discard, nil))
	box, err := sandbox.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		r.requests++
		instead := r.intercept
		r.mu.Unlock()
		if instead == nil || !instead(w, q) {
			box.Handler().ServeHTTP(w, q)
		}
	}))
	t.Cleanup(func() {
		server.Close()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	r.sandbox = box
	r.url, r.token = server.URL+"/graphql", box.Token()
	r.newWorker(mark)
	return r
}

// newWorker starts another worker of the same TMS, whose cache is empty.
func (r *fixture) newWorker(mark tms.ReferenceTag) {
	r.t.Helper()
	api, err := administrate.New(administrate.Options{Options: transport.Options{URL: r.url, Tokens: oauth.StaticToken(r.token), Burst: 1000, RequestsPerSecond: 1000}})
	if err != nil {
		r.t.Fatal(err)
	}
	options := r.options
	options.Temporal, options.ReferenceTag, options.Now = r.namespace, mark, r.now
	if options.API == nil {
		options.API = api
	}
	if options.PlaybookAt == nil {
		inForce := r.playbook
		options.PlaybookAt = func(time.Time) (tms.VersionedPlaybook, error) { return inForce, nil }
	}
	a, err := tms.New(options)
	if err != nil {
		r.t.Fatal(err)
	}
	var suite testsuite.WorkflowTestSuite
	r.activities, r.env = a, suite.NewTestActivityEnvironment()
	a.Register(registry{r.env})
}

// registry lets the activities register themselves as in a worker.
type registry struct {
	*testsuite.TestActivityEnvironment
}

// runActivity runs an activity and returns its result and error.
func runActivity[A any](r *fixture, name string, in any) (A, error) {
	r.t.Helper()
	var out A
	value, err := r.env.ExecuteActivity(name, in)
	if err == nil {
		err = value.Get(&out)
	}
	return out, err
}

// mustRunActivity runs an activity that must succeed.
func mustRunActivity[A any](r *fixture, name string, in any) A {
	r.t.Helper()
	out, err := runActivity[A](r, name, in)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

func (r *fixture) create(in activities.CreateInput) activities.CreateResult {
	r.t.Helper()
	return mustRunActivity[activities.CreateResult](r, activities.CreateOpportunity, in)
}

// createRecord creates a record and returns its id.
func (r *fixture) createRecord(reference opportunity.Reference) opportunity.ID {
	r.t.Helper()
	out := r.create(activities.CreateInput{Reference: reference, Start: opportunity.Start{Name: "First Aid", Region: string(regionDR)}, SkipEarlierRunCheck: true})
	if out.Status != exchange.StatusDone {
		r.t.Fatalf("create: %+v", out)
	}
	return out.Record.ID
}

func (r *fixture) apply(record opportunity.ID, batch ...exchange.Change) activities.ApplyResult {
	r.t.Helper()
	return mustRunActivity[activities.ApplyResult](r, activities.ApplyCommands, activities.ApplyInput{Reference: "A-1", Opportunity: record, Changes: batch})
}

func (r *fixture) read(record opportunity.ID) exchange.Snapshot {
	r.t.Helper()
	return mustRunActivity[activities.ReadResult](r, activities.ReadOpportunity, activities.ReadInput{Reference: "A-1", Opportunity: record}).Record
}

func (r *fixture) resolve(names ...exchange.UnresolvedName) []exchange.ResolvedName {
	r.t.Helper()
	return mustRunActivity[activities.ResolveResult](r, activities.ResolveNames, activities.ResolveInput{Names: names}).ResolvedNames
}

func interest(item opportunity.ID, quantity int) exchange.Change {
	return exchange.Change{Request: "r", Interest: &opportunity.Interest{Item: string(item), Quantity: quantity}}
}

func progress(to string) exchange.Change {
	return exchange.Change{Request: "p", Progress: &opportunity.Progress{To: to}}
}

func amount(t *testing.T, s string) opportunity.Amount {
	t.Helper()
	a, err := opportunity.ParseAmount(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestCreateByNames(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	start := opportunity.Start{Name: "First Aid", Region: "dominican republic", Account: "Administrate", Currency: "GBP", EntryStep: "opportunity"}
	r.namespace.runs = []string{"default-test-run-id"}
	in := activities.CreateInput{Reference: "A-1", Start: start}
	out := r.create(in)
	if out.Status != exchange.StatusNotSent || out.Reason != activities.ReasonUnresolvedNames {
		t.Fatalf("with names nobody resolved: %+v", out)
	}
	if diff := cmp.Diff([]exchange.UnresolvedName{
		{Type: opportunity.TypeRegion, Text: "dominican republic"}, {Type: opportunity.TypeAccount, Text: "Administrate"}, {Type: opportunity.TypeStep, Text: "opportunity"},
	}, out.MissingNames); diff != "" {
		t.Error(diff)
	}
	if n := r.requestCount(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	in.ResolvedNames = r.resolve(out.MissingNames...)
	if n := r.requestCount(); n != 1 {
		t.Errorf("names took %d requests", n)
	}
	out = r.create(in)
	if out.Status != exchange.StatusDone || out.Record.ID.Type() != opportunity.TypeOpportunity || out.Record.Step.ID != stepTwo || out.Record.Step.Stage.State != opportunity.Open {
		t.Fatalf("created %+v", out)
	}
	want := opportunity.Details{Name: "First Aid", Account: opportunity.Ref{ID: id(opportunity.TypeAccount, 2), Name: "Administrate"}, Currency: "GBP"}
	if diff := cmp.Diff(want, out.Record.Details); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(opportunity.Ref{ID: regionDR, Name: "Dominican Republic"}, out.Region); diff != "" {
		t.Error(diff)
	}
	r.requestCount()
	// The name is in the worker's cache: the next start needs a single request.
	in.Reference, in.ResolvedNames = "A-2", nil
	if out = r.create(in); out.Status != exchange.StatusDone {
		t.Fatalf("created again %+v", out)
	}
	if n := r.requestCount(); n != 1 {
		t.Errorf("the second create took %d requests", n)
	}
	// The cache forgets the name after its time.
	r.mu.Lock()
	r.clockOffset = time.Hour
	r.mu.Unlock()
	if out = r.create(in); out.Reason != activities.ReasonUnresolvedNames {
		t.Errorf("an hour later: %+v", out)
	}
}

func TestResolveNames(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	got := r.resolve(
		exchange.UnresolvedName{Type: opportunity.TypeStep, Text: "Won"},
		exchange.UnresolvedName{Type: opportunity.TypeStep, Text: "Nowhere"},
		exchange.UnresolvedName{Type: opportunity.TypeCourse, Text: "ABC-123"},
		exchange.UnresolvedName{Type: opportunity.TypeCourse, Text: "My New Course"},
		exchange.UnresolvedName{Type: opportunity.TypeEvent, Text: "My New Course"},
		exchange.UnresolvedName{Type: opportunity.TypePath, Text: "LP-1"},
		exchange.UnresolvedName{Type: opportunity.TypeTokens, Text: "Training Token"},
		exchange.UnresolvedName{Type: exchange.TypeCurrency, Text: "Euros"},
		exchange.UnresolvedName{Type: opportunity.TypeAccount, Text: "Nobody Ltd"},
		exchange.UnresolvedName{Type: opportunity.TypeEvent, Text: "First Aid at Work"},
	)
	want := []opportunity.ID{stepWon, "", course, course, event, path, tokens, "EUR", "", ""}
	for i, id := range want {
		if got[i].ID != id || (got[i].Error == nil) != (id != "") {
			t.Errorf("%q means %q, %v; want %q", got[i].Text, got[i].ID, got[i].Error, id)
		}
	}
	for i, message := range map[int]string{
		1: `no step is called "Nowhere"; there are "Proposed", "Opportunity", "Won", "Lost", "Archived"`,
		8: `no account is called "Nobody Ltd"`,
		9: fmt.Sprintf(`"First Aid at Work" matches more than one event: %s and %s; give the id`, id(opportunity.TypeEvent, 2), id(opportunity.TypeEvent, 3)),
	} {
		if got[i].Error == nil || got[i].Error.Message != message {
			t.Errorf("got  %v\nwant %s", got[i].Error, message)
		}
	}
	if got[1].Error.Type != opportunity.NotFound || got[9].Error.Type != opportunity.Invalid {
		t.Errorf("types %s and %s", got[1].Error.Type, got[9].Error.Type)
	}
	if n := r.requestCount(); n != 1 {
		t.Errorf("ten names took %d requests", n)
	}
	// Names in the cache need no request; names that could not be resolved are looked up again.
	if r.resolve(got[0].UnresolvedName); r.requestCount() != 0 {
		t.Error("a name the worker knows was looked up again")
	}
	if r.resolve(got[1].UnresolvedName); r.requestCount() != 1 {
		t.Error("a name that was not found is not looked up again")
	}
}

// The API refuses each request for learning paths. Names of other kinds are still looked up.
func TestNamesDependOnTheirOwnRootAlone(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.interceptRequests(func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.Contains(readBody(t, q), "learningPaths") {
			return false
		}
		w.WriteHeader(http.StatusInternalServerError)
		return true
	})
	for name, want := range map[exchange.UnresolvedName]opportunity.ID{
		{Type: opportunity.TypeCourse, Text: "ABC-123"}:        course,
		{Type: opportunity.TypeEvent, Text: "My New Course"}:   event,
		{Type: opportunity.TypeTokens, Text: "Training Token"}: tokens,
		{Type: opportunity.TypeStep, Text: "Won"}:              stepWon,
	} {
		if got := r.resolve(name); got[0].ID != want {
			t.Errorf("%q means %+v; want %s", name.Text, got[0], want)
		}
	}
}

// The root of learning paths is switched off. The error asks the caller for the id, and names
// of other kinds are still looked up.
func TestNamesOfAKindThatIsNotLookedUp(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	api, err := administrate.New(administrate.Options{Options: transport.Options{URL: r.url, Tokens: oauth.StaticToken(r.token)}, Assumed: administrate.Assumptions{LearningPaths: administrate.Off}})
	if err != nil {
		t.Fatal(err)
	}
	r.options.API = api
	r.newWorker(tms.ReferenceTag{})
	got := r.resolve(exchange.UnresolvedName{Type: opportunity.TypePath, Text: "LP-1"}, exchange.UnresolvedName{Type: opportunity.TypeCourse, Text: "ABC-123"})
	if fault := got[0].Error; fault == nil || fault.Type != opportunity.Invalid || !strings.Contains(fault.Message, `"LP-1" cannot be looked up by name in this TMS; give its id`) {
		t.Errorf("a learning path: %v", fault)
	}
	if got[1].ID != course {
		t.Errorf("a course: %+v", got[1])
	}
}

// TestResolveManyNames: a start may name a hundred items, and one request looks up twenty.
func TestResolveManyNames(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	var names []exchange.UnresolvedName
	for n := range 25 {
		names = append(names, exchange.UnresolvedName{Type: opportunity.TypeCourse, Text: fmt.Sprint("Course ", n)})
	}
	names = append(names, exchange.UnresolvedName{Type: opportunity.TypeCourse, Text: "FA-1"}, exchange.UnresolvedName{Type: opportunity.TypeCourse, Text: "FA-1"})
	got := r.resolve(names...)
	if one := got[0].Error; one == nil || one.Type != opportunity.NotFound {
		t.Errorf("the first is %+v", one)
	}
	for _, one := range got[25:] {
		if one.ID != id(opportunity.TypeCourse, 12) || one.Error != nil {
			t.Errorf("the last is %+v", one)
		}
	}
	if n := r.requestCount(); n != 2 {
		t.Errorf("26 names took %d requests, want 2", n)
	}
}

func TestCreateLooksForEarlierRuns(t *testing.T) {
	in := activities.CreateInput{Reference: "A-1", Start: opportunity.Start{Name: "First Aid", Region: string(regionDR)}}
	const own = "default-test-run-id"
	for _, c := range []struct {
		name   string
		runs   []string
		err    error
		looked bool
		first  bool
		blind  bool // no record can be found
		want   activities.Reason
	}{
		{name: "the first run", first: true},
		{name: "the first run that is listed", runs: []string{own}, want: activities.ReasonEarlierRun},
		{name: "listed, and nothing would find the record", runs: []string{own}, blind: true},
		{name: "not listed yet", want: activities.ReasonEarlierRun},
		{name: "an earlier run", runs: []string{own, "other"}, want: activities.ReasonEarlierRun},
		{name: "the namespace does not answer", err: errors.New("down"), want: activities.ReasonEarlierRun},
		{name: "the namespace is asked too much", err: &serviceerror.ResourceExhausted{Message: "rps"}, want: activities.ReasonNamespaceBusy},
		{name: "the namespace answers too late", err: context.DeadlineExceeded, want: activities.ReasonNamespaceBusy},
		{name: "looked already", runs: []string{"other"}, looked: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // two of the cases list runs until their time is over
			r := newFixture(t, tms.ReferenceTag{InName: !c.blind})
			r.activities.SetEarlierRunTimeout(time.Second)
			r.namespace.runs, r.namespace.err = c.runs, c.err
			in := in
			in.SkipEarlierRunCheck, in.NoEarlierRun = c.looked, c.first
			out := r.create(in)
			if out.Reason != c.want || (out.Status == exchange.StatusDone) != (c.want == "") {
				t.Errorf("got %+v", out.CallResult)
			}
			if sent := r.requestCount(); sent > 0 != (c.want == "") {
				t.Errorf("%d requests were sent", sent)
			}
			if (len(r.namespace.queries) == 0) != (c.looked || c.first) {
				t.Errorf("asked %q", r.namespace.queries)
			}
		})
	}
}

func TestReferenceTag(t *testing.T) {
	for name, mark := range map[string]tms.ReferenceTag{"attribute": {Attribute: "oppflow"}, "name": {InName: true}} {
		t.Run(name, func(t *testing.T) {
			r := newFixture(t, mark)
			other := r.createRecord("A-11")
			record := r.createRecord("A-1")
			find := func(in activities.FindInput) activities.FindResult {
				t.Helper()
				var all activities.FindResult
				for {
					page := mustRunActivity[activities.FindResult](r, activities.FindOpportunity, in)
					all.Found, all.Region, all.TagDisabled = append(all.Found, page.Found...), page.Region, page.TagDisabled
					if page.Next == "" {
						return all
					}
					in.After = page.Next
				}
			}
			if diff := cmp.Diff([]opportunity.ID{record}, find(activities.FindInput{Reference: "A-1", Region: string(regionDR)}).Found); diff != "" {
				t.Errorf("by the region's id: %s", diff)
			}
			// A worker that does not know the region yet must find the record as well, in any
			// spelling of the region.
			for _, region := range []string{"Dominican Republic", "dominican republic"} {
				r.newWorker(mark)
				got := find(activities.FindInput{Reference: "A-1", Region: region})
				if diff := cmp.Diff([]opportunity.ID{record}, got.Found); diff != "" {
					t.Errorf("by the name %q: %s", region, diff)
				}
				if diff := cmp.Diff(opportunity.Ref{ID: regionDR, Name: "Dominican Republic"}, got.Region); diff != "" {
					t.Errorf("the region %q: %s", region, diff)
				}
			}
			if got := find(activities.FindInput{Reference: "A", Region: string(regionDR)}); len(got.Found) != 0 || got.TagDisabled {
				t.Errorf("found for another reference: %+v", got)
			}
			r.createRecord("b] [A-2")
			if got := find(activities.FindInput{Reference: "A-2", Region: string(regionDR)}); len(got.Found) != 0 {
				t.Errorf("the mark of another reference was taken for this one's: %+v", got)
			}
			// Callers do not see the tag in the name, also after a change of the name.
			if got := r.read(record).Details.Name; got != "First Aid" {
				t.Errorf("the name reads %q", got)
			}
			out := r.apply(record, exchange.Change{Request: "u", Update: &opportunity.UpdateDetails{Name: "Second"}})
			if out.Status != exchange.StatusDone || out.Results[0].Details == nil || out.Results[0].Details.Name != "Second" {
				t.Errorf("renamed: %+v", out)
			}
			if diff := cmp.Diff([]opportunity.ID{record}, find(activities.FindInput{Reference: "A-1", Region: string(regionDR)}).Found); diff != "" {
				t.Errorf("after it was renamed: %s", diff)
			}
			// The records take more than one page.
			for range 105 {
				r.createRecord("A-2")
			}
			if got := find(activities.FindInput{Reference: "A-2", Region: "Dominican Republic"}).Found; len(got) != 105 || slices.Contains(got, other) {
				t.Errorf("found %d of 105", len(got))
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		r := newFixture(t, tms.ReferenceTag{})
		r.createRecord("A-1")
		r.requestCount()
		if got := mustRunActivity[activities.FindResult](r, activities.FindOpportunity, activities.FindInput{Reference: "A-1", Region: "x"}); !got.TagDisabled || r.requestCount() != 0 {
			t.Errorf("got %+v", got)
		}
	})
}

func TestABatchOfEverything(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.requestCount()
	ada := []opportunity.Learner{{FirstName: "Ada", LastName: "Lovelace", Email: "ada@example.com"}}
	price := amount(t, "199.90")
	batch := []exchange.Change{
		{Request: "r", Interest: &opportunity.Interest{Item: string(course), Quantity: 1, UnitAmount: price, Learners: ada}},
		{Request: "r", Index: 1, Interest: &opportunity.Interest{Item: string(event), Quantity: 2, UnitAmount: price, Reserve: true, Learners: ada, Contacts: []opportunity.ID{contact}}},
		{Request: "r", Index: 2, Interest: &opportunity.Interest{Item: string(path), Quantity: 1, UnitAmount: price, Tax: id("TaxType", 1)}},
		{Request: "r", Index: 3, Interest: &opportunity.Interest{Item: string(tokens), Quantity: 3, UnitAmount: price, ExpiresAt: "2023-12-31T23:59:59"}},
		{Request: "u", Update: &opportunity.UpdateDetails{Name: "Second", Currency: "EUR"}},
		{Request: "r", ReservationChange: &exchange.ReservationChange{}},
		progress(string(stepTwo)),
	}
	before := time.Now().UTC().Truncate(time.Second)
	out := r.apply(record, batch...)
	if out.Status != exchange.StatusDone || len(out.Results) != len(batch) {
		t.Fatalf("got %+v", out)
	}
	for i, answer := range out.Results {
		if answer.Status != exchange.StatusDone || answer.Error != nil {
			t.Errorf("change %d: %+v", i, answer)
		}
	}
	var made []exchange.InterestRef
	for i, item := range []opportunity.ID{course, event, path, tokens} {
		if got := out.Results[i].Interests; len(got) != 1 || got[0].Item != item || got[0].ID.Type() != "OpportunityInterest" {
			t.Errorf("interest %d: %+v", i, got)
		}
		one := out.Results[i].Interests[0]
		one.Quantity, one.UnitAmount = batch[i].Interest.Quantity, &price // as a read returns them
		made = append(made, one)
	}
	if got := out.Results[4].Details; got == nil || got.Name != "Second" || got.Currency != "EUR" {
		t.Errorf("details %+v", got)
	}
	held := out.Results[5].Reservation
	if held == nil || !held.Valid || held.Until.Before(before.AddDate(0, 0, 14)) || held.Until.After(before.AddDate(0, 0, 14).Add(time.Minute)) {
		t.Errorf("places %+v", held)
	}
	if got := out.Results[6].Step; got == nil || got.ID != stepTwo {
		t.Errorf("step %+v", got)
	}
	if n := r.requestCount(); n != 1 {
		t.Errorf("seven changes took %d requests", n)
	}
	// The record that is read back is the same.
	want := exchange.Snapshot{
		ID: record, Details: opportunity.Details{Name: "Second", Currency: "EUR"}, Step: *out.Results[6].Step, Interests: made, Reservation: *held,
	}
	if diff := cmp.Diff(want, r.read(record)); diff != "" {
		t.Error(diff)
	}
	// A later reservation does not shorten the present one.
	later := held.Until.Add(48 * time.Hour)
	out = r.apply(record, exchange.Change{Request: "r", ReservationChange: &exchange.ReservationChange{NotBefore: later}})
	if got := out.Results[0].Reservation; got == nil || !got.Valid || !got.Until.Equal(later) {
		t.Errorf("held until %+v, want %s", got, later)
	}
	// The places are released.
	out = r.apply(record, exchange.Change{Request: "r", ReservationChange: &exchange.ReservationChange{Release: true}})
	if got := out.Results[0].Reservation; got == nil || got.Valid {
		t.Errorf("released: %+v", got)
	}
	if got := r.read(record).Reservation; got.Valid {
		t.Errorf("released, and reads %+v", got)
	}
	// Expired places stay expired, despite an empty list of errors.
	out = r.apply(record, interest(event, 1), exchange.Change{Request: "r", ReservationChange: &exchange.ReservationChange{}})
	if got := out.Results[1].Reservation; got != nil && got.Valid {
		t.Errorf("an expired hold reads %+v", got)
	}
}

// TestAReleaseThatReleasesNothing: the API returns no error and keeps the places reserved.
func TestAReleaseThatReleasesNothing(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	until := time.Now().UTC().Add(240 * time.Hour).Truncate(time.Second)
	r.interceptRequests(func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = fmt.Fprintf(w, `{"data":{"m0":{"extendReservations":{"errors":[],"opportunity":{"id":"O","name":"x",
			"step":{"id":"S","name":"s","stage":{"id":"G","name":"g","state":"Open"}},"isReservationValid":true,"reservationsValidUntil":%q}}}}}`, until.Format(time.RFC3339))
		return true
	})
	out := r.apply("O", exchange.Change{Request: "r", ReservationChange: &exchange.ReservationChange{Release: true}})
	if len(out.Results) != 1 || out.Results[0].Reservation == nil || !out.Results[0].Reservation.Valid {
		t.Errorf("got %+v", out)
	}
	// The same response does not confirm a reservation with a later expiry.
	out = r.apply("O", exchange.Change{Request: "r", ReservationChange: &exchange.ReservationChange{NotBefore: until.Add(480 * time.Hour)}})
	if len(out.Results) != 1 || out.Results[0].Reservation == nil || out.Results[0].Reservation.Valid {
		t.Errorf("got %+v", out)
	}
}

func TestChangesThatTheAPIRejects(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	out := r.apply(record, interest(id(opportunity.TypeCourse, 999), 1), interest(course, 1), progress(string(stepWon)))
	if out.Status != exchange.StatusDone || len(out.Results) != 3 {
		t.Fatalf("got %+v", out)
	}
	if got := out.Results[0]; got.Status != exchange.StatusRejected || got.Error.Type != opportunity.Rejected || got.Error.Label == "" || got.Error.Message == "" {
		t.Errorf("an item that is not there: %+v", got)
	}
	if got := out.Results[1]; got.Status != exchange.StatusDone {
		t.Errorf("what stood beside it: %+v", got)
	}
	want := &opportunity.Error{
		Type: opportunity.TransitionNotFound, Label: "Transition Not Found",
		Message: fmt.Sprintf("Transition from step %s to step %s not found", proposed, stepWon),
	}
	if diff := cmp.Diff(want, out.Results[2].Error); diff != "" || out.Results[2].Status != exchange.StatusRejected {
		t.Errorf("a move without a transition: %s", diff)
	}
	// When the request is refused as a whole, none of its changes is made.
	refused := r.apply(record, interest(course, 1), interest("not an id at all", 1), progress("\x00"))
	if refused.Status == exchange.StatusDone && refused.Results[0].Status != exchange.StatusDone {
		t.Errorf("got %+v", refused)
	}
	r.interceptRequests(func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = io.WriteString(w, `{"errors":[{"message":"Variable \"$m0_tax\" got invalid value \"VAT\""}]}`)
		return true
	})
	refused = r.apply(record, interest(course, 1))
	if refused.Status != exchange.StatusRejected || refused.Error == nil || refused.Error.Message != `Variable "$m0_tax" got invalid value "VAT"` || len(refused.Results) > 0 {
		t.Errorf("refused as a whole: %+v", refused)
	}
	r.interceptRequests(nil)
	in := activities.CreateInput{Reference: "A-2", Start: opportunity.Start{Name: "x", Region: string(id(opportunity.TypeRegion, "XX"))}, SkipEarlierRunCheck: true}
	if got := r.create(in); got.Status != exchange.StatusRejected || got.Error.Type != opportunity.Rejected {
		t.Errorf("created in no region: %+v", got)
	}
}

func TestStatusOfAFailedRequest(t *testing.T) {
	drop := func(w http.ResponseWriter, q *http.Request) bool {
		// The whole document must arrive: the header alone is not the request.
		if _, err := io.Copy(io.Discard, q.Body); err != nil {
			return false
		}
		connection, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			err = connection.Close()
		}
		return err == nil
	}
	for _, c := range []struct {
		name   string
		fail   func(*fixture)
		fate   exchange.ChangeStatus
		reason activities.Reason
		after  time.Duration
	}{
		{"500", func(r *fixture) { r.respondWithStatus(500) }, exchange.StatusUnknown, "", 0},
		{"502", func(r *fixture) { r.respondWithStatus(502) }, exchange.StatusUnknown, "", 0},
		{"429", func(r *fixture) { r.respondWithStatus(429) }, exchange.StatusNotSent, activities.ReasonRateLimit, 0},
		{"429 with a time", func(r *fixture) { r.respondWithStatus(429, "Retry-After", "7") }, exchange.StatusNotSent, activities.ReasonRateLimit, 7 * time.Second},
		{"401", func(r *fixture) { r.respondWithStatus(401) }, exchange.StatusNotSent, activities.ReasonAuthentication, 0},
		{"another tenant", func(r *fixture) {
			var err error
			r.options.API, err = administrate.New(administrate.Options{Options: transport.Options{
				URL: r.url, Tokens: oauth.StaticToken(r.token), Permitted: func(context.Context) error { return errors.New("it belongs to another tenant") },
			}})
			if err != nil {
				r.t.Fatal(err)
			}
			r.newWorker(tms.ReferenceTag{})
		}, exchange.StatusNotSent, activities.ReasonWrongTenant, 0},
		{"the connection breaks", func(r *fixture) { r.interceptRequests(drop) }, exchange.StatusUnknown, "", 0},
		{"no data", func(r *fixture) {
			r.interceptRequests(func(w http.ResponseWriter, _ *http.Request) bool {
				_, _ = io.WriteString(w, `{"data":null,"errors":[{"message":"boom","path":["m0"]}]}`)
				return true
			})
		}, exchange.StatusUnknown, "", 0},
		{"nobody there", func(r *fixture) { r.url = "http://127.0.0.1:1/graphql"; r.newWorker(tms.ReferenceTag{}) }, exchange.StatusNotSent, activities.ReasonUnreachable, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newFixture(t, tms.ReferenceTag{})
			record := r.createRecord("A-1")
			c.fail(r)
			r.requestCount()
			// Each request has its own worker, because a 429 makes the next request of the same worker
			// wait.
			got := map[string]activities.CallResult{"apply": r.apply(record, interest(course, 1)).CallResult}
			r.newWorker(tms.ReferenceTag{})
			got["create"] = r.create(activities.CreateInput{
				Reference: "A-2", Start: opportunity.Start{Name: "x", Region: string(regionDR)}, SkipEarlierRunCheck: true,
			}).CallResult
			r.newWorker(tms.ReferenceTag{})
			for what, sending := range got {
				if sending.Status != c.fate || sending.Reason != c.reason || sending.RetryAfter != c.after {
					t.Errorf("%s: %+v", what, sending)
				}
			}
			if n := r.requestCount(); n > 2 {
				t.Errorf("two changes took %d requests", n)
			}
			// A read with the same result is retried.
			_, err := runActivity[activities.ReadResult](r, activities.ReadOpportunity, activities.ReadInput{Opportunity: record})
			var application *temporal.ApplicationError
			if err == nil || errors.As(err, &application) && application.NonRetryable() {
				t.Errorf("a read fails with %v", err)
			}
			if c.after > 0 && (application == nil || application.NextRetryDelay() != c.after) {
				t.Errorf("a read is to be repeated after %v", application)
			}
		})
	}
}

// TestAnAnswerThatSaysTooLittle: each change of a request has its own status.
func TestAnAnswerThatSaysTooLittle(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.interceptRequests(func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = io.WriteString(w, `{"data":{"m0":{"addInterest":{"errors":[],"interests":[{"id":"I","item":{"id":"X","__typename":"Event"}}]}},
			"m1":{"addInterest":null},"m2":{"extendReservations":{"errors":[]}}},"errors":[{"message":"boom","path":["m1","addInterest"]}]}`)
		return true
	})
	out := r.apply("O", interest(course, 1), interest(course, 2), exchange.Change{Request: "r", ReservationChange: &exchange.ReservationChange{}})
	if out.Status != exchange.StatusDone || len(out.Results) != 3 {
		t.Fatalf("got %+v", out)
	}
	for i, want := range []exchange.ChangeStatus{exchange.StatusDone, exchange.StatusUnknown, exchange.StatusUnknown} {
		if out.Results[i].Status != want {
			t.Errorf("change %d: %+v, want %s", i, out.Results[i], want)
		}
	}
}

func TestReadInPages(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	var want []exchange.InterestRef
	for range 12 {
		batch := make([]exchange.Change, 20)
		for i := range batch {
			batch[i] = interest([]opportunity.ID{course, event, path}[i%3], 1+i%5)
			batch[i].Interest.UnitAmount = amount(t, fmt.Sprintf("%d.50", i))
		}
		for i, answer := range r.apply(record, batch...).Results {
			// An interest that is read back shows its quantity and price as well.
			one := answer.Interests[0]
			one.Quantity, one.UnitAmount = batch[i].Interest.Quantity, &batch[i].Interest.UnitAmount
			want = append(want, one)
		}
	}
	r.requestCount()
	in := activities.ReadInput{Reference: "A-1", Opportunity: record}
	var got []exchange.InterestRef
	pages := 0
	for {
		page := mustRunActivity[activities.ReadResult](r, activities.ReadOpportunity, in)
		pages++
		if page.Record.ID != record {
			t.Errorf("page %d is of %q", pages, page.Record.ID)
		}
		got = append(got, page.Record.Interests...)
		if page.Next == "" {
			break
		}
		in.After = page.Next
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) != 240 {
		t.Errorf("of %d interests: %s", len(want), diff)
	}
	if n := r.requestCount(); pages != 3 || n != 3 {
		t.Errorf("%d pages, %d requests", pages, n)
	}
}

func TestAReadOfNothingIsNotRepeated(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	_, err := runActivity[activities.ReadResult](r, activities.ReadOpportunity, activities.ReadInput{Opportunity: id(opportunity.TypeOpportunity, 999)})
	var application *temporal.ApplicationError
	if !errors.As(err, &application) || application.Type() != string(opportunity.NotFound) || !application.NonRetryable() {
		t.Errorf("got %v", err)
	}
	if n := r.requestCount(); n != 1 {
		t.Errorf("it took %d requests", n)
	}
}

// TestNoLearnerInErrorTexts: the text of a failure is written to histories and logs.
func TestNoLearnerInErrorTexts(t *testing.T) {
	const mark = "Zaphodina"
	change := exchange.Change{Request: "r", Interest: &opportunity.Interest{
		Item: string(course), Quantity: 1, Learners: []opportunity.Learner{{FirstName: mark, LastName: mark, Email: mark + "@example.com"}},
	}}
	for _, code := range []int{401, 429, 500} {
		r := newFixture(t, tms.ReferenceTag{})
		r.interceptRequests(func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, mark)
			return true
		})
		if text := fmt.Sprintf("%+v", r.apply("O", change).CallResult); strings.Contains(text, mark) {
			t.Errorf("HTTP %d: %s", code, text)
		}
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	if _, err := tms.New(tms.Options{}); err == nil || err.Error() != "tms: API and Temporal are needed" {
		t.Errorf("got %v", err)
	}
}
