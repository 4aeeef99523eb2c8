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

// namespace is the part of Temporal that the activities ask.
type namespace struct {
	client.Client
	runs    []string
	err     error
	queries []string
	// lives are the earlier runs that the namespace remembers.
	lives map[string]life
	// described is what the namespace says of the run that asks.
	described func() (*workflowservice.DescribeWorkflowExecutionResponse, error)
}

// life is an earlier run: what it was started from or took over from the run before it, and how it failed.
type life struct {
	terminated time.Time // zero is not at all
	start      *opportunity.Start
	carried    *opportunity.State
	failed     opportunity.ErrorType
}

// events are the events of a history.
type events struct{ left []*historypb.HistoryEvent }

func (e *events) HasNext() bool { return len(e.left) > 0 }

func (e *events) Next() (*historypb.HistoryEvent, error) {
	next := e.left[0]
	e.left = e.left[1:]
	return next, nil
}

func (n *namespace) GetWorkflowHistory(_ context.Context, _, run string, _ bool, filter enums.HistoryEventFilterType) client.HistoryEventIterator {
	had, known := n.lives[run]
	switch {
	case !known:
		return &events{}
	case filter == enums.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT:
		return &events{[]*historypb.HistoryEvent{{Attributes: &historypb.HistoryEvent_WorkflowExecutionFailedEventAttributes{
			WorkflowExecutionFailedEventAttributes: &historypb.WorkflowExecutionFailedEventAttributes{Failure: &failurepb.Failure{
				FailureInfo: &failurepb.Failure_ApplicationFailureInfo{ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: string(had.failed)}},
			}},
		}}}}
	}
	input, err := converter.GetDefaultDataConverter().ToPayloads(had.start, had.carried)
	if err != nil {
		return &events{}
	}
	return &events{[]*historypb.HistoryEvent{{Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
		WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{Input: input},
	}}}}
}

func (n *namespace) DescribeWorkflow(context.Context, string, string) (*client.WorkflowExecutionDescription, error) {
	described, err := n.described()
	return &client.WorkflowExecutionDescription{RawResponse: described}, err
}

func (n *namespace) ListWorkflow(_ context.Context, in *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	n.queries = append(n.queries, in.GetQuery())
	out := &workflowservice.ListWorkflowExecutionsResponse{}
	for _, run := range n.runs {
		status := enums.WORKFLOW_EXECUTION_STATUS_CANCELED
		if n.lives[run].failed != "" {
			status = enums.WORKFLOW_EXECUTION_STATUS_FAILED
		}
		info := &workflowpb.WorkflowExecutionInfo{Execution: &commonpb.WorkflowExecution{RunId: run}, Status: status}
		if ended := n.lives[run].terminated; !ended.IsZero() {
			info.Status, info.CloseTime = enums.WORKFLOW_EXECUTION_STATUS_TERMINATED, timestamppb.New(ended)
		}
		out.Executions = append(out.Executions, info)
	}
	return out, n.err
}

// room holds a worker's activities over a sandbox. The room counts each request and can
// answer it in place of the sandbox.
type room struct {
	t         *testing.T
	made      *tms.Activities // of the worker
	env       *testsuite.TestActivityEnvironment
	namespace *namespace
	url       string
	token     string
	box       *sandbox.Sandbox
	// options are the options of the next worker, except for the mark.
	options tms.Options

	mu       sync.Mutex
	requests int
	// instead, when set, sees each request first. It returns true when it has answered the
	// request, and false to pass the request to the sandbox.
	instead func(w http.ResponseWriter, r *http.Request) bool
	ahead   time.Duration // how far the clock is moved on
}

func (r *room) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Add(r.ahead)
}

// requested returns how many requests came since its last call.
func (r *room) requested() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.requests
	r.requests = 0
	return n
}

func (r *room) answerInstead(f func(http.ResponseWriter, *http.Request) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.instead = f
}

// status answers every request with the status.
func (r *room) status(code int, header ...string) {
	r.answerInstead(func(w http.ResponseWriter, _ *http.Request) bool {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		return true
	})
}

func newRoom(t *testing.T, mark tms.Mark) *room {
	t.Helper()
	return newRoomOf(t, mark, nil)
}

// newRoomOf returns a room over a sandbox with other values for some assumptions.
func newRoomOf(t *testing.T, mark tms.Mark, assume map[string]string) *room {
	t.Helper()
	return newRoomIn(t, mark, sandbox.Options{Assume: assume})
}

// newRoomIn returns a room over a sandbox with the options.
func newRoomIn(t *testing.T, mark tms.Mark, o sandbox.Options) *room {
	t.Helper()
	r := &room{t: t, namespace: &namespace{}}
	o.Now, o.Logger = r.now, slog.New(slog.NewTextHandler(io.Discard, nil))
	box, err := sandbox.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		r.requests++
		instead := r.instead
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
	r.box = box
	r.url, r.token = server.URL+"/graphql", box.Token()
	r.worker(mark)
	return r
}

// worker starts another worker of the same TMS, which remembers no names.
func (r *room) worker(mark tms.Mark) {
	r.t.Helper()
	api, err := administrate.New(administrate.Options{URL: r.url, Tokens: administrate.StaticToken(r.token), Burst: 1000, RequestsPerSecond: 1000})
	if err != nil {
		r.t.Fatal(err)
	}
	options := r.options
	options.Temporal, options.Mark, options.Now = r.namespace, mark, r.now
	if options.API == nil {
		options.API = api
	}
	a, err := tms.New(options)
	if err != nil {
		r.t.Fatal(err)
	}
	var suite testsuite.WorkflowTestSuite
	r.made, r.env = a, suite.NewTestActivityEnvironment()
	a.Register(registry{r.env})
}

// registry lets the activities register themselves as in a worker.
type registry struct {
	*testsuite.TestActivityEnvironment
}

// try runs an activity, its error included.
func try[A any](r *room, name string, in any) (A, error) {
	r.t.Helper()
	var out A
	value, err := r.env.ExecuteActivity(name, in)
	if err == nil {
		err = value.Get(&out)
	}
	return out, err
}

// do runs an activity that must succeed.
func do[A any](r *room, name string, in any) A {
	r.t.Helper()
	out, err := try[A](r, name, in)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

func (r *room) create(in activities.CreateInput) activities.CreateResult {
	r.t.Helper()
	return do[activities.CreateResult](r, activities.CreateOpportunity, in)
}

// created makes a record and returns its id.
func (r *room) created(reference opportunity.Reference) opportunity.ID {
	r.t.Helper()
	out := r.create(activities.CreateInput{Reference: reference, Start: opportunity.Start{Name: "First Aid", Region: string(regionDR)}, Looked: true})
	if out.Fate != opportunity.FateDone {
		r.t.Fatalf("create: %+v", out)
	}
	return out.Record.ID
}

func (r *room) apply(record opportunity.ID, batch ...opportunity.Mutation) activities.ApplyResult {
	r.t.Helper()
	return do[activities.ApplyResult](r, activities.ApplyCommands, activities.ApplyInput{Reference: "A-1", Opportunity: record, Mutations: batch})
}

func (r *room) read(record opportunity.ID) opportunity.Snapshot {
	r.t.Helper()
	return do[activities.ReadResult](r, activities.ReadOpportunity, activities.ReadInput{Reference: "A-1", Opportunity: record}).Record
}

func (r *room) resolve(names ...opportunity.Name) []opportunity.Resolved {
	r.t.Helper()
	return do[activities.ResolveResult](r, activities.ResolveNames, activities.ResolveInput{Names: names}).Resolved
}

func interest(item opportunity.ID, quantity int) opportunity.Mutation {
	return opportunity.Mutation{Request: "r", Interest: &opportunity.Interest{Item: string(item), Quantity: quantity}}
}

func progress(to string) opportunity.Mutation {
	return opportunity.Mutation{Request: "p", Progress: &opportunity.Progress{To: to}}
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
	r := newRoom(t, tms.Mark{})
	start := opportunity.Start{Name: "First Aid", Region: "dominican republic", Account: "Administrate", Currency: "GBP", EntryStep: "opportunity"}
	r.namespace.runs = []string{"default-test-run-id"}
	in := activities.CreateInput{Reference: "A-1", Start: start}
	out := r.create(in)
	if out.Fate != opportunity.FateNotSent || out.Reason != activities.ReasonNames {
		t.Fatalf("with names nobody resolved: %+v", out)
	}
	if diff := cmp.Diff([]opportunity.Name{
		{Type: opportunity.TypeRegion, Text: "dominican republic"}, {Type: opportunity.TypeAccount, Text: "Administrate"}, {Type: opportunity.TypeStep, Text: "opportunity"},
	}, out.Missing); diff != "" {
		t.Error(diff)
	}
	if n := r.requested(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	in.Resolved = r.resolve(out.Missing...)
	if n := r.requested(); n != 1 {
		t.Errorf("names took %d requests", n)
	}
	out = r.create(in)
	if out.Fate != opportunity.FateDone || out.Record.ID.Type() != opportunity.TypeOpportunity || out.Record.Step.ID != stepTwo || out.Record.Step.Stage.State != opportunity.Open {
		t.Fatalf("created %+v", out)
	}
	want := opportunity.Details{Name: "First Aid", Account: opportunity.Named{ID: id(opportunity.TypeAccount, 2), Name: "Administrate"}, Currency: "GBP"}
	if diff := cmp.Diff(want, out.Record.Details); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(opportunity.Named{ID: regionDR, Name: "Dominican Republic"}, out.Region); diff != "" {
		t.Error(diff)
	}
	r.requested()
	// The worker remembers: the next start needs a single request.
	in.Reference, in.Resolved = "A-2", nil
	if out = r.create(in); out.Fate != opportunity.FateDone {
		t.Fatalf("created again %+v", out)
	}
	if n := r.requested(); n != 1 {
		t.Errorf("the second create took %d requests", n)
	}
	// Not for ever.
	r.mu.Lock()
	r.ahead = time.Hour
	r.mu.Unlock()
	if out = r.create(in); out.Reason != activities.ReasonNames {
		t.Errorf("an hour later: %+v", out)
	}
}

func TestResolveNames(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	got := r.resolve(
		opportunity.Name{Type: opportunity.TypeStep, Text: "Won"},
		opportunity.Name{Type: opportunity.TypeStep, Text: "Nowhere"},
		opportunity.Name{Type: opportunity.TypeCourse, Text: "ABC-123"},
		opportunity.Name{Type: opportunity.TypeCourse, Text: "My New Course"},
		opportunity.Name{Type: opportunity.TypeEvent, Text: "My New Course"},
		opportunity.Name{Type: opportunity.TypePath, Text: "LP-1"},
		opportunity.Name{Type: opportunity.TypeTokens, Text: "Training Token"},
		opportunity.Name{Type: opportunity.TypeCurrency, Text: "Euros"},
		opportunity.Name{Type: opportunity.TypeAccount, Text: "Nobody Ltd"},
		opportunity.Name{Type: opportunity.TypeEvent, Text: "First Aid at Work"},
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
		9: fmt.Sprintf(`"First Aid at Work" fits more than one event: %s and %s; give the id`, id(opportunity.TypeEvent, 2), id(opportunity.TypeEvent, 3)),
	} {
		if got[i].Error == nil || got[i].Error.Message != message {
			t.Errorf("got  %v\nwant %s", got[i].Error, message)
		}
	}
	if got[1].Error.Type != opportunity.NotFound || got[9].Error.Type != opportunity.Invalid {
		t.Errorf("types %s and %s", got[1].Error.Type, got[9].Error.Type)
	}
	if n := r.requested(); n != 1 {
		t.Errorf("ten names took %d requests", n)
	}
	// Known names cost nothing; names that could not be resolved are looked up again.
	if r.resolve(got[0].Name); r.requested() != 0 {
		t.Error("a name the worker knows was looked up again")
	}
	if r.resolve(got[1].Name); r.requested() != 1 {
		t.Error("a name that was not found is not looked up again")
	}
}

// The API refuses each request for learning paths. Names of other kinds are still looked
// up.
func TestNamesDependOnTheirOwnRootAlone(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	r.answerInstead(func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.Contains(body(t, q), "learningPaths") {
			return false
		}
		w.WriteHeader(http.StatusInternalServerError)
		return true
	})
	for name, want := range map[opportunity.Name]opportunity.ID{
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
	r := newRoom(t, tms.Mark{})
	api, err := administrate.New(administrate.Options{URL: r.url, Tokens: administrate.StaticToken(r.token), Assumed: administrate.Assumptions{LearningPaths: administrate.Off}})
	if err != nil {
		t.Fatal(err)
	}
	r.options.API = api
	r.worker(tms.Mark{})
	got := r.resolve(opportunity.Name{Type: opportunity.TypePath, Text: "LP-1"}, opportunity.Name{Type: opportunity.TypeCourse, Text: "ABC-123"})
	if fault := got[0].Error; fault == nil || fault.Type != opportunity.Invalid || !strings.Contains(fault.Message, `"LP-1" cannot be looked up by name in this TMS; give its id`) {
		t.Errorf("a learning path: %v", fault)
	}
	if got[1].ID != course {
		t.Errorf("a course: %+v", got[1])
	}
}

// TestResolveManyNames: a start may name a hundred items, one request asks for
// twenty.
func TestResolveManyNames(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	var names []opportunity.Name
	for n := range 25 {
		names = append(names, opportunity.Name{Type: opportunity.TypeCourse, Text: fmt.Sprint("Course ", n)})
	}
	names = append(names, opportunity.Name{Type: opportunity.TypeCourse, Text: "FA-1"}, opportunity.Name{Type: opportunity.TypeCourse, Text: "FA-1"})
	got := r.resolve(names...)
	if one := got[0].Error; one == nil || one.Type != opportunity.NotFound {
		t.Errorf("the first is %+v", one)
	}
	for _, one := range got[25:] {
		if one.ID != id(opportunity.TypeCourse, 12) || one.Error != nil {
			t.Errorf("the last is %+v", one)
		}
	}
	if n := r.requested(); n != 2 {
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
		{name: "the first run that is listed", runs: []string{own}, want: activities.ReasonSeen},
		{name: "listed, and nothing would find the record", runs: []string{own}, blind: true},
		{name: "not listed yet", want: activities.ReasonSeen},
		{name: "an earlier run", runs: []string{own, "other"}, want: activities.ReasonSeen},
		{name: "the namespace does not answer", err: errors.New("down"), want: activities.ReasonSeen},
		{name: "the namespace is asked too much", err: &serviceerror.ResourceExhausted{Message: "rps"}, want: activities.ReasonNamespace},
		{name: "the namespace answers too late", err: context.DeadlineExceeded, want: activities.ReasonNamespace},
		{name: "looked already", runs: []string{"other"}, looked: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // two of them ask until their time is over
			r := newRoom(t, tms.Mark{Name: !c.blind})
			r.made.AskFor(time.Second)
			r.namespace.runs, r.namespace.err = c.runs, c.err
			in := in
			in.Looked, in.First = c.looked, c.first
			out := r.create(in)
			if out.Reason != c.want || (out.Fate == opportunity.FateDone) != (c.want == "") {
				t.Errorf("got %+v", out.Sending)
			}
			if sent := r.requested(); sent > 0 != (c.want == "") {
				t.Errorf("%d requests were sent", sent)
			}
			if (len(r.namespace.queries) == 0) != (c.looked || c.first) {
				t.Errorf("asked %q", r.namespace.queries)
			}
		})
	}
}

func TestMark(t *testing.T) {
	for name, mark := range map[string]tms.Mark{"attribute": {Attribute: "oppflow"}, "name": {Name: true}} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t, mark)
			other := r.created("A-11")
			record := r.created("A-1")
			find := func(in activities.FindInput) activities.FindResult {
				t.Helper()
				var all activities.FindResult
				for {
					page := do[activities.FindResult](r, activities.FindOpportunity, in)
					all.Found, all.Region, all.Blind = append(all.Found, page.Found...), page.Region, page.Blind
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
				r.worker(mark)
				got := find(activities.FindInput{Reference: "A-1", Region: region})
				if diff := cmp.Diff([]opportunity.ID{record}, got.Found); diff != "" {
					t.Errorf("by the name %q: %s", region, diff)
				}
				if diff := cmp.Diff(opportunity.Named{ID: regionDR, Name: "Dominican Republic"}, got.Region); diff != "" {
					t.Errorf("the region %q: %s", region, diff)
				}
			}
			if got := find(activities.FindInput{Reference: "A", Region: string(regionDR)}); len(got.Found) != 0 || got.Blind {
				t.Errorf("found for another reference: %+v", got)
			}
			r.created("b] [A-2")
			if got := find(activities.FindInput{Reference: "A-2", Region: string(regionDR)}); len(got.Found) != 0 {
				t.Errorf("the mark of another reference was taken for this one's: %+v", got)
			}
			// Callers do not see the mark in the name, also after a change of the name.
			if got := r.read(record).Details.Name; got != "First Aid" {
				t.Errorf("the name reads %q", got)
			}
			out := r.apply(record, opportunity.Mutation{Request: "u", Update: &opportunity.UpdateDetails{Name: "Second"}})
			if out.Fate != opportunity.FateDone || out.Answers[0].Details == nil || out.Answers[0].Details.Name != "Second" {
				t.Errorf("renamed: %+v", out)
			}
			if diff := cmp.Diff([]opportunity.ID{record}, find(activities.FindInput{Reference: "A-1", Region: string(regionDR)}).Found); diff != "" {
				t.Errorf("after it was renamed: %s", diff)
			}
			// More than a page.
			for range 105 {
				r.created("A-2")
			}
			if got := find(activities.FindInput{Reference: "A-2", Region: "Dominican Republic"}).Found; len(got) != 105 || slices.Contains(got, other) {
				t.Errorf("found %d of 105", len(got))
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		r := newRoom(t, tms.Mark{})
		r.created("A-1")
		r.requested()
		if got := do[activities.FindResult](r, activities.FindOpportunity, activities.FindInput{Reference: "A-1", Region: "x"}); !got.Blind || r.requested() != 0 {
			t.Errorf("got %+v", got)
		}
	})
}

func TestABatchOfEverything(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	r.requested()
	ada := []opportunity.Learner{{FirstName: "Ada", LastName: "Lovelace", Email: "ada@example.com"}}
	price := amount(t, "199.90")
	batch := []opportunity.Mutation{
		{Request: "r", Interest: &opportunity.Interest{Item: string(course), Quantity: 1, UnitAmount: price, Learners: ada}},
		{Request: "r", Index: 1, Interest: &opportunity.Interest{Item: string(event), Quantity: 2, UnitAmount: price, Reserve: true, Learners: ada, Contacts: []opportunity.ID{contact}}},
		{Request: "r", Index: 2, Interest: &opportunity.Interest{Item: string(path), Quantity: 1, UnitAmount: price, Tax: id("TaxType", 1)}},
		{Request: "r", Index: 3, Interest: &opportunity.Interest{Item: string(tokens), Quantity: 3, UnitAmount: price, ExpiresAt: "2023-12-31T23:59:59"}},
		{Request: "u", Update: &opportunity.UpdateDetails{Name: "Second", Currency: "EUR"}},
		{Request: "r", Extend: &opportunity.Extend{}},
		progress(string(stepTwo)),
	}
	before := time.Now().UTC().Truncate(time.Second)
	out := r.apply(record, batch...)
	if out.Fate != opportunity.FateDone || len(out.Answers) != len(batch) {
		t.Fatalf("got %+v", out)
	}
	for i, answer := range out.Answers {
		if answer.Fate != opportunity.FateDone || answer.Error != nil {
			t.Errorf("change %d: %+v", i, answer)
		}
	}
	var made []opportunity.InterestRef
	for i, item := range []opportunity.ID{course, event, path, tokens} {
		if got := out.Answers[i].Interests; len(got) != 1 || got[0].Item != item || got[0].ID.Type() != "OpportunityInterest" {
			t.Errorf("interest %d: %+v", i, got)
		}
		one := out.Answers[i].Interests[0]
		one.Quantity, one.UnitAmount = batch[i].Interest.Quantity, &price // as a read returns them
		made = append(made, one)
	}
	if got := out.Answers[4].Details; got == nil || got.Name != "Second" || got.Currency != "EUR" {
		t.Errorf("details %+v", got)
	}
	held := out.Answers[5].Reservation
	if held == nil || !held.Valid || held.Until.Before(before.AddDate(0, 0, 14)) || held.Until.After(before.AddDate(0, 0, 14).Add(time.Minute)) {
		t.Errorf("places %+v", held)
	}
	if got := out.Answers[6].Step; got == nil || got.ID != stepTwo {
		t.Errorf("step %+v", got)
	}
	if n := r.requested(); n != 1 {
		t.Errorf("seven changes took %d requests", n)
	}
	// The record that is read back shows the same.
	want := opportunity.Snapshot{
		ID: record, Details: opportunity.Details{Name: "Second", Currency: "EUR"}, Step: *out.Answers[6].Step, Interests: made, Reservation: *held,
	}
	if diff := cmp.Diff(want, r.read(record)); diff != "" {
		t.Error(diff)
	}
	// A later hold does not shorten the present one.
	later := held.Until.Add(48 * time.Hour)
	out = r.apply(record, opportunity.Mutation{Request: "r", Extend: &opportunity.Extend{NotBefore: later}})
	if got := out.Answers[0].Reservation; got == nil || !got.Valid || !got.Until.Equal(later) {
		t.Errorf("held until %+v, want %s", got, later)
	}
	// The places are given back.
	out = r.apply(record, opportunity.Mutation{Request: "r", Extend: &opportunity.Extend{Release: true}})
	if got := out.Answers[0].Reservation; got == nil || got.Valid {
		t.Errorf("released: %+v", got)
	}
	if got := r.read(record).Reservation; got.Valid {
		t.Errorf("released, and reads %+v", got)
	}
	// Lapsed places stay lapsed, despite an empty list of errors.
	out = r.apply(record, interest(event, 1), opportunity.Mutation{Request: "r", Extend: &opportunity.Extend{}})
	if got := out.Answers[1].Reservation; got != nil && got.Valid {
		t.Errorf("a lapsed hold reads %+v", got)
	}
}

// TestAReleaseThatReleasesNothing: the API returns no error and keeps the places held.
func TestAReleaseThatReleasesNothing(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	until := time.Now().UTC().Add(240 * time.Hour).Truncate(time.Second)
	r.answerInstead(func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = fmt.Fprintf(w, `{"data":{"m0":{"extendReservations":{"errors":[],"opportunity":{"id":"O","name":"x",
			"step":{"id":"S","name":"s","stage":{"id":"G","name":"g","state":"Open"}},"isReservationValid":true,"reservationsValidUntil":%q}}}}}`, until.Format(time.RFC3339))
		return true
	})
	out := r.apply("O", opportunity.Mutation{Request: "r", Extend: &opportunity.Extend{Release: true}})
	if len(out.Answers) != 1 || out.Answers[0].Reservation == nil || !out.Answers[0].Reservation.Valid {
		t.Errorf("got %+v", out)
	}
	// The same answer does not confirm a hold that was to last longer.
	out = r.apply("O", opportunity.Mutation{Request: "r", Extend: &opportunity.Extend{NotBefore: until.Add(480 * time.Hour)}})
	if len(out.Answers) != 1 || out.Answers[0].Reservation == nil || out.Answers[0].Reservation.Valid {
		t.Errorf("got %+v", out)
	}
}

func TestWhatTheAPITurnsDown(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	out := r.apply(record, interest(id(opportunity.TypeCourse, 999), 1), interest(course, 1), progress(string(stepWon)))
	if out.Fate != opportunity.FateDone || len(out.Answers) != 3 {
		t.Fatalf("got %+v", out)
	}
	if got := out.Answers[0]; got.Fate != opportunity.FateRejected || got.Error.Type != opportunity.Rejected || got.Error.Label == "" || got.Error.Message == "" {
		t.Errorf("an item that is not there: %+v", got)
	}
	if got := out.Answers[1]; got.Fate != opportunity.FateDone {
		t.Errorf("what stood beside it: %+v", got)
	}
	want := &opportunity.Error{
		Type: opportunity.TransitionNotFound, Label: "Transition Not Found",
		Message: fmt.Sprintf("Transition from step %s to step %s not found", proposed, stepWon),
	}
	if diff := cmp.Diff(want, out.Answers[2].Error); diff != "" || out.Answers[2].Fate != opportunity.FateRejected {
		t.Errorf("a move without a transition: %s", diff)
	}
	// When the request is refused as a whole, no part of it is made.
	refused := r.apply(record, interest(course, 1), interest("not an id at all", 1), progress("\x00"))
	if refused.Fate == opportunity.FateDone && refused.Answers[0].Fate != opportunity.FateDone {
		t.Errorf("got %+v", refused)
	}
	r.answerInstead(func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = io.WriteString(w, `{"errors":[{"message":"Variable \"$m0_tax\" got invalid value \"VAT\""}]}`)
		return true
	})
	refused = r.apply(record, interest(course, 1))
	if refused.Fate != opportunity.FateRejected || refused.Error == nil || refused.Error.Message != `Variable "$m0_tax" got invalid value "VAT"` || len(refused.Answers) > 0 {
		t.Errorf("refused as a whole: %+v", refused)
	}
	r.answerInstead(nil)
	in := activities.CreateInput{Reference: "A-2", Start: opportunity.Start{Name: "x", Region: string(id(opportunity.TypeRegion, "XX"))}, Looked: true}
	if got := r.create(in); got.Fate != opportunity.FateRejected || got.Error.Type != opportunity.Rejected {
		t.Errorf("created in no region: %+v", got)
	}
}

func TestFateOfAFailedRequest(t *testing.T) {
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
		fail   func(*room)
		fate   opportunity.Fate
		reason activities.Reason
		after  time.Duration
	}{
		{"500", func(r *room) { r.status(500) }, opportunity.FateUnknown, "", 0},
		{"502", func(r *room) { r.status(502) }, opportunity.FateUnknown, "", 0},
		{"429", func(r *room) { r.status(429) }, opportunity.FateNotSent, activities.ReasonRate, 0},
		{"429 with a time", func(r *room) { r.status(429, "Retry-After", "7") }, opportunity.FateNotSent, activities.ReasonRate, 7 * time.Second},
		{"401", func(r *room) { r.status(401) }, opportunity.FateNotSent, activities.ReasonAuthentication, 0},
		{"another tenant", func(r *room) {
			var err error
			r.options.API, err = administrate.New(administrate.Options{
				URL: r.url, Tokens: administrate.StaticToken(r.token), Permitted: func(context.Context) error { return errors.New("it belongs to another tenant") },
			})
			if err != nil {
				r.t.Fatal(err)
			}
			r.worker(tms.Mark{})
		}, opportunity.FateNotSent, activities.ReasonTenant, 0},
		{"the connection breaks", func(r *room) { r.answerInstead(drop) }, opportunity.FateUnknown, "", 0},
		{"no data", func(r *room) {
			r.answerInstead(func(w http.ResponseWriter, _ *http.Request) bool {
				_, _ = io.WriteString(w, `{"data":null,"errors":[{"message":"boom","path":["m0"]}]}`)
				return true
			})
		}, opportunity.FateUnknown, "", 0},
		{"nobody there", func(r *room) { r.url = "http://127.0.0.1:1/graphql"; r.worker(tms.Mark{}) }, opportunity.FateNotSent, activities.ReasonUnreachable, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRoom(t, tms.Mark{})
			record := r.created("A-1")
			c.fail(r)
			r.requested()
			// Each request has its own worker, because a 429 makes the next request of the same worker
			// wait.
			got := map[string]activities.Sending{"apply": r.apply(record, interest(course, 1)).Sending}
			r.worker(tms.Mark{})
			got["create"] = r.create(activities.CreateInput{
				Reference: "A-2", Start: opportunity.Start{Name: "x", Region: string(regionDR)}, Looked: true,
			}).Sending
			r.worker(tms.Mark{})
			for what, sending := range got {
				if sending.Fate != c.fate || sending.Reason != c.reason || sending.RetryAfter != c.after {
					t.Errorf("%s: %+v", what, sending)
				}
			}
			if n := r.requested(); n > 2 {
				t.Errorf("two changes took %d requests", n)
			}
			// A read with the same fate is repeated.
			_, err := try[activities.ReadResult](r, activities.ReadOpportunity, activities.ReadInput{Opportunity: record})
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

// TestAnAnswerThatSaysTooLittle: each change of a request has its own fate.
func TestAnAnswerThatSaysTooLittle(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	r.answerInstead(func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = io.WriteString(w, `{"data":{"m0":{"addInterest":{"errors":[],"interests":[{"id":"I","item":{"id":"X","__typename":"Event"}}]}},
			"m1":{"addInterest":null},"m2":{"extendReservations":{"errors":[]}}},"errors":[{"message":"boom","path":["m1","addInterest"]}]}`)
		return true
	})
	out := r.apply("O", interest(course, 1), interest(course, 2), opportunity.Mutation{Request: "r", Extend: &opportunity.Extend{}})
	if out.Fate != opportunity.FateDone || len(out.Answers) != 3 {
		t.Fatalf("got %+v", out)
	}
	for i, want := range []opportunity.Fate{opportunity.FateDone, opportunity.FateUnknown, opportunity.FateUnknown} {
		if out.Answers[i].Fate != want {
			t.Errorf("change %d: %+v, want %s", i, out.Answers[i], want)
		}
	}
}

func TestReadInPages(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	var want []opportunity.InterestRef
	for range 12 {
		batch := make([]opportunity.Mutation, 20)
		for i := range batch {
			batch[i] = interest([]opportunity.ID{course, event, path}[i%3], 1+i%5)
			batch[i].Interest.UnitAmount = amount(t, fmt.Sprintf("%d.50", i))
		}
		for i, answer := range r.apply(record, batch...).Answers {
			// An interest that is read back shows its quantity and price as well.
			one := answer.Interests[0]
			one.Quantity, one.UnitAmount = batch[i].Interest.Quantity, &batch[i].Interest.UnitAmount
			want = append(want, one)
		}
	}
	r.requested()
	in := activities.ReadInput{Reference: "A-1", Opportunity: record}
	var got []opportunity.InterestRef
	pages := 0
	for {
		page := do[activities.ReadResult](r, activities.ReadOpportunity, in)
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
	if n := r.requested(); pages != 3 || n != 3 {
		t.Errorf("%d pages, %d requests", pages, n)
	}
}

func TestAReadOfNothingIsNotRepeated(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	_, err := try[activities.ReadResult](r, activities.ReadOpportunity, activities.ReadInput{Opportunity: id(opportunity.TypeOpportunity, 999)})
	var application *temporal.ApplicationError
	if !errors.As(err, &application) || application.Type() != string(opportunity.NotFound) || !application.NonRetryable() {
		t.Errorf("got %v", err)
	}
	if n := r.requested(); n != 1 {
		t.Errorf("it took %d requests", n)
	}
}

// TestNoLearnerInWhatIsTold: a failure's text goes to histories and logs.
func TestNoLearnerInWhatIsTold(t *testing.T) {
	const mark = "Zaphodina"
	change := opportunity.Mutation{Request: "r", Interest: &opportunity.Interest{
		Item: string(course), Quantity: 1, Learners: []opportunity.Learner{{FirstName: mark, LastName: mark, Email: mark + "@example.com"}},
	}}
	for _, code := range []int{401, 429, 500} {
		r := newRoom(t, tms.Mark{})
		r.answerInstead(func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, mark)
			return true
		})
		if text := fmt.Sprintf("%+v", r.apply("O", change).Sending); strings.Contains(text, mark) {
			t.Errorf("HTTP %d: %s", code, text)
		}
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	if _, err := tms.New(tms.Options{}); err == nil || err.Error() != "tms: API and Temporal are needed" {
		t.Errorf("got %v", err)
	}
}
