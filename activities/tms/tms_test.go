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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
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

func id(typ string, key any) opportunity.ID {
	return opportunity.ID(base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s:%v", typ, key)))
}

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

type fakeNamespace struct {
	client.Client
	runs        []string
	err         error
	queries     []string
	earlierRuns map[string]earlierRun
	// described returns the description of the run whose activity requests the description.
	described func() (*workflowservice.DescribeWorkflowExecutionResponse, error)
}

type earlierRun struct {
	terminated time.Time // zero where the run was not terminated
	start      *opportunity.Start
	carried    *entity.State
	failed     opportunity.ErrorType
}

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

// fixture contains the activities of a worker, which send their requests to a sandbox. The fixture
// counts each request and can respond to a request instead of the sandbox.
type fixture struct {
	t          *testing.T
	activities *tms.Activities
	env        *testsuite.TestActivityEnvironment
	namespace  *fakeNamespace
	url        string
	token      string
	sandbox    *sandbox.Sandbox
	// options are the options of the next worker, except for the reference tag. playbook is the
	// playbook in force on the next worker, unless options sets PlaybookAt.
	options  tms.Options
	playbook tms.VersionedPlaybook
	// regionsUnread says that the next worker has not read the regions of the tenant.
	regionsUnread bool

	mu       sync.Mutex
	requests int
	// intercept, when set, receives each request before the sandbox. intercept returns true when it
	// has responded to the request, and false to pass the request to the sandbox.
	intercept   func(w http.ResponseWriter, r *http.Request) bool
	clockOffset time.Duration
}

func (r *fixture) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Add(r.clockOffset)
}

// requestCount returns how many requests arrived since the previous call of requestCount.
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

func newFixtureAssuming(t *testing.T, mark tms.ReferenceTag, assume map[string]string) *fixture {
	t.Helper()
	return newFixtureIn(t, mark, sandbox.Options{Assumptions: assume})
}

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

// The cache of the new worker contains only the regions.
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
	if !r.regionsUnread {
		a.StoreRegions([]opportunity.Ref{{ID: regionDR, Name: "Dominican Republic"}})
	}
	var suite testsuite.WorkflowTestSuite
	r.activities, r.env = a, suite.NewTestActivityEnvironment()
	a.Register(registry{r.env})
}

type registry struct {
	*testsuite.TestActivityEnvironment
}

func runActivity[A any](r *fixture, name string, in any) (A, error) {
	r.t.Helper()
	var out A
	value, err := r.env.ExecuteActivity(name, in)
	if err == nil {
		err = value.Get(&out)
	}
	return out, err
}

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

// TestNoLearnerInErrorTexts: no error text names a learner, because histories and logs contain
// these texts.
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
	if _, err := tms.New(tms.Options{}); err == nil || err.Error() != "tms: Options.API and Options.Temporal are required" {
		t.Errorf("got %v", err)
	}
}
