package load_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	enums "go.temporal.io/api/enums/v1"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/stack"
)

type change struct {
	field string // of the namespace opportunities in the API, such as "update"
	input map[string]any
}

func (c change) text(member string) string {
	text, _ := c.input[member].(string)
	return text
}

func (c change) record() opportunity.ID {
	if c.field == "update" {
		return opportunity.ID(c.text("id"))
	}
	return opportunity.ID(c.text("opportunityId"))
}

// recorder is a proxy between the worker and the sandbox. recorder records every forwarded
// mutation, in order. recorder can hold requests back for a while.
type recorder struct {
	server *httptest.Server

	mu       sync.Mutex
	target   *url.URL
	open     chan struct{} // closed while requests pass
	held     []change
	waiting  int
	requests int // the number of requests with mutations
	changes  []change
	errors   []string
}

func newRecorder(t *testing.T) *recorder {
	t.Helper()
	r := &recorder{open: make(chan struct{})}
	close(r.open)
	forward := &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			r.mu.Lock()
			defer r.mu.Unlock()
			request.SetURL(r.target)
		},
		ModifyResponse: func(response *http.Response) error {
			if response.StatusCode != http.StatusOK {
				r.recordError("the API returned the HTTP status %s", response.Status)
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			r.recordError("the recorder could not forward a request: %v", err)
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			r.recordError("the recorder could not read a whole request: %v", err)
			return
		}
		if !r.hasTarget() { // the worker asks the API at its start, and again later, which tenant it reaches
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		changes, err := mutations(body)
		if err != nil {
			r.recordError("the recorder could not find the mutations of a request: %v", err)
		}
		r.pass(request, changes)
		if request.Context().Err() != nil {
			return // the worker cancelled the held request, so the sandbox never gets it
		}
		r.record(changes)
		request.Body = io.NopCloser(bytes.NewReader(body))
		forward.ServeHTTP(w, request)
	}))
	t.Cleanup(func() {
		r.release() // otherwise the server would wait for the held requests
		r.server.Close()
	})
	return r
}

func mutations(body []byte) ([]change, error) {
	var request struct {
		Query     string         `json:"query"`
		Variables map[string]any `json:"variables"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, err
	}
	document, err := parser.ParseQuery(&ast.Source{Input: request.Query})
	if err != nil {
		return nil, err
	}
	var changes []change
	for _, operation := range document.Operations {
		if operation.Operation != ast.Mutation {
			continue
		}
		for _, root := range operation.SelectionSet {
			for _, field := range root.(*ast.Field).SelectionSet {
				field := field.(*ast.Field)
				input, err := field.Arguments.ForName("input").Value.Value(request.Variables)
				if err != nil {
					return nil, err
				}
				changes = append(changes, change{field: field.Name, input: input.(map[string]any)})
			}
		}
	}
	return changes, nil
}

// pass waits while requests are held back, or until the request is cancelled.
func (r *recorder) pass(request *http.Request, changes []change) {
	r.mu.Lock()
	open := r.open
	r.waiting++
	r.held = append(r.held, changes...)
	r.mu.Unlock()
	select {
	case <-open:
	case <-request.Context().Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting--; r.waiting == 0 {
		r.held = nil
	}
}

func (r *recorder) record(changes []change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(changes) > 0 {
		r.requests++
	}
	r.changes = append(r.changes, changes...)
}

func (r *recorder) recordError(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) hold() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open = make(chan struct{})
}

func (r *recorder) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.open:
	default:
		close(r.open)
	}
}

func (r *recorder) heldChanges() []change {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.held)
}

func (r *recorder) mutationCount(record opportunity.ID) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, c := range r.changes {
		if c.record() == record {
			n++
		}
	}
	return n
}

func (r *recorder) mutationsOf(record opportunity.ID, field string) []change {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.changes), func(c change) bool { return c.field != field || c.record() != record })
}

// awaitMutations waits until the API got the given number of mutations of the record and no message
// waits.
func (p *parts) awaitMutations(ctx context.Context, r *recorder, reference opportunity.Reference, record opportunity.ID, mutations int) opportunity.View {
	p.T.Helper()
	begin := time.Now()
	asked, moved, before := begin, begin, 0
	var view opportunity.View
	harness.Eventually(p.T, 4*time.Minute, "all mutations are applied", func() bool {
		made := r.mutationCount(record)
		if made != before {
			moved, before = time.Now(), made
		}
		if made < mutations && time.Since(asked) < time.Second {
			return false
		}
		asked = time.Now()
		if status := p.Status(reference); status != enums.WORKFLOW_EXECUTION_STATUS_RUNNING || time.Since(moved) > time.Minute {
			p.runSizes(reference)
			p.T.Fatalf("no mutation was applied since %s after %d of %d mutations; the workflow is %s",
				time.Since(moved).Round(time.Second), made, mutations, status)
		}
		if made < mutations {
			return false
		}
		var err error
		if view, err = p.Client.View(ctx, reference); err != nil {
			p.T.Fatal(err)
		}
		return len(view.Queue) == 0
	})
	p.T.Logf("%s: %d mutations are applied after %s more", reference, mutations, time.Since(begin).Round(time.Millisecond))
	if got := r.mutationCount(record); got != mutations {
		p.T.Errorf("the API got %d mutations; want %d", got, mutations)
	}
	if view.Failures != 0 || len(view.Attention) != 0 {
		p.T.Errorf("%d requests failed, attention %+v", view.Failures, view.Attention)
	}
	return view
}

// wantNames asserts that the API got the messages of every sender, each message once and in the
// order of the sender. wantNames returns the name that came last.
func (r *recorder) wantNames(t *testing.T, record opportunity.ID, sent map[int]int) string {
	t.Helper()
	next, last := map[int]int{}, ""
	turns, before := 0, -1
	for _, c := range r.mutationsOf(record, "update") {
		last = c.text("name")
		var sender, n int
		if _, err := fmt.Sscanf(last, "%d/%d ", &sender, &n); err != nil {
			t.Fatalf("the API got the name %q", last)
		}
		if n != next[sender] {
			t.Fatalf("the API got message %d of sender %d; want message %d next", n, sender, next[sender])
		}
		next[sender]++
		if sender != before {
			turns, before = turns+1, sender
		}
	}
	for sender, count := range sent {
		if next[sender] != count {
			t.Errorf("the API got %d messages of sender %d; want %d", next[sender], sender, count)
		}
	}
	if len(sent) > 1 && turns < 2*len(sent) {
		t.Errorf("the senders' messages arrived in %d blocks; the test does not check simultaneous senders", turns)
	}
	return last
}

// The parts are never built with the race detector, because these tests measure load.
func startRecorded(t *testing.T, o stack.Options) (*parts, *recorder) {
	t.Helper()
	r := newRecorder(t)
	o.WorkerArgs = append(o.WorkerArgs, "--api-rate", "5000")
	o.DynamicConfig = map[string]any{ // the long form uses the server's defaults
		"limit.historyCount.suggestContinueAsNew": scaled(t, 4<<10), "limit.historySize.suggestContinueAsNew": scaled(t, 4<<20),
	}
	o.WorkerEnv = append(o.WorkerEnv, "ADMINISTRATE_URL="+r.server.URL+"/graphql")
	t.Cleanup(func() { r.report(t) })
	p := startPartsWithoutRace(t, o)
	t.Cleanup(r.release) // otherwise the worker would wait for the held requests
	if err := r.setTarget(p.APIURL()); err != nil {
		t.Fatal(err)
	}
	return p, r
}

func (r *recorder) setTarget(api string) error {
	target, err := url.Parse(api)
	if err != nil {
		return err
	}
	target.Path = ""
	r.mu.Lock()
	defer r.mu.Unlock()
	r.target = target
	return nil
}

func (r *recorder) hasTarget() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.target != nil
}

// Errors between the worker and the sandbox fail the test, because the test relies on a response to
// every request.
func (r *recorder) report(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	t.Logf("%d mutations in %d requests", len(r.changes), r.requests)
	for _, text := range r.errors[:min(len(r.errors), 5)] {
		t.Error(text)
	}
}
