package workflows_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"

	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/activities/tms/service"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
	"github.com/oppflow/oppflow/sandbox"
)

// tenantFixture is a tenant in virtual time: the workflow, the activities of a worker with a
// playbook, and the API, all with the same clock.
type tenantFixture struct {
	*fixture
	sandbox *sandbox.Sandbox
	url     string

	mu sync.Mutex
	// changes counts the requests that change something. lost, when set, returns for the nth of
	// these requests whether the response is lost, and whether the API makes the change.
	changes int
	lost    func(n int) (commits, is bool)
	// serviceCalls are the requests to the tenant's services. status is the HTTP status that the
	// services return; 0 means 204.
	serviceCalls []string
	status       int
}

type emptyNamespace struct{ client.Client }

func (emptyNamespace) ListWorkflow(context.Context, *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	own := &workflowpb.WorkflowExecutionInfo{Execution: &commonpb.WorkflowExecution{RunId: "default-test-run-id"}}
	return &workflowservice.ListWorkflowExecutionsResponse{Executions: []*workflowpb.WorkflowExecutionInfo{own}}, nil
}

// registry lets the activities register themselves as in a worker.
type registry struct {
	*testsuite.TestWorkflowEnvironment
}

func (r registry) RegisterActivity(any) {}

func (r registry) RegisterDynamicActivity(any, activity.DynamicRegisterOptions) {}

func example(t *testing.T, name string) []byte {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("..", "playbook", "examples", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func newTenantFixture(t *testing.T, file []byte, assume ...string) *tenantFixture {
	t.Helper()
	book, err := playbook.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	h := &tenantFixture{fixture: newBareFixture(t)}
	h.knownRun = "default-test-run-id" // the run id that the activities get
	// A worker compares its send deadline with the real clock, so the virtual start time is in the
	// future.
	h.env.SetStartTime(time.Date(2041, 11, 25, 9, 0, 0, 0, time.UTC))
	h.env.SetTestTimeout(2 * time.Minute)
	assumed := make(map[string]string)
	for _, row := range assume {
		name, value, _ := strings.Cut(row, "=")
		assumed[name] = value
	}
	box, err := sandbox.Open(t.Context(), sandbox.Options{
		Catalogue: filepath.Join("testdata", "tenant.yaml"), Now: h.env.Now, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), NoAuth: true,
		Rate: sandbox.Rate{Off: true}, NoRequestLog: true, Assumptions: assumed,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.sandbox = box
	server := httptest.NewServer(http.HandlerFunc(h.serve))
	h.url = server.URL + "/graphql"
	t.Cleanup(func() {
		server.Close()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	api, err := administrate.New(administrate.Options{Options: transport.Options{URL: h.url, Tokens: oauth.StaticToken("any"), Burst: 10_000, RequestsPerSecond: 10_000}})
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]service.Key{"erp-signing-key": service.NewKey("a secret")}
	a, err := tms.New(tms.Options{API: api, Temporal: emptyNamespace{}, ReferenceTag: tms.ReferenceTag{InName: true}, PlaybookAt: func(time.Time) (tms.VersionedPlaybook, error) {
		return tms.VersionedPlaybook{Playbook: book, ServiceKeys: keys}, nil
	}, ServiceTransport: h, Now: h.env.Now})
	if err != nil {
		t.Fatal(err)
	}
	a.Register(registry{h.env})
	return h
}

// serve handles a request as the API does, and may lose the response.
func (h *tenantFixture) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if r.Header.Get("Test") == "" && bytes.Contains(body, []byte(`"query":"mutation`)) {
		h.mu.Lock()
		h.changes++
		n, lost := h.changes, h.lost
		h.mu.Unlock()
		if lost != nil {
			if commits, is := lost(n); is {
				if commits {
					h.sandbox.Handler().ServeHTTP(httptest.NewRecorder(), r)
				}
				panic(http.ErrAbortHandler)
			}
		}
	}
	h.sandbox.Handler().ServeHTTP(w, r)
}

// RoundTrip responds to a request as a service of the tenant.
func (h *tenantFixture) RoundTrip(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.serviceCalls = append(h.serviceCalls, r.URL.Path+" "+r.Header.Get("Idempotency-Key"))
	return &http.Response{StatusCode: cmp.Or(h.status, http.StatusNoContent), Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// execute sends a request to the API as a person who works with the TMS, and returns the data.
func (h *tenantFixture) execute(document string) map[string]any {
	h.t.Helper()
	payload, err := json.Marshal(map[string]string{"query": document})
	if err != nil {
		h.t.Fatal(err)
	}
	request := httptest.NewRequest(http.MethodPost, h.url, bytes.NewReader(payload))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Test", "yes")
	answer := httptest.NewRecorder()
	h.sandbox.Handler().ServeHTTP(answer, request)
	var got struct {
		Data   map[string]any
		Errors []struct{ Message string }
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil || len(got.Errors) > 0 {
		h.t.Fatalf("%s: %s", document, answer.Body)
	}
	return got.Data
}

func (h *tenantFixture) query(document string) string {
	h.t.Helper()
	data, err := json.Marshal(h.execute(document))
	if err != nil {
		h.t.Fatal(err)
	}
	return strings.ReplaceAll(string(data), `"`, "")
}

func (h *tenantFixture) wantQuery(document, want string) {
	h.t.Helper()
	if got := h.query(document); got != want {
		h.t.Errorf("%s\ngot  %s\nwant %s", document, got, want)
	}
}

var recordID = id("Opportunity", 1)

func (h *tenantFixture) setPeople() {
	h.t.Helper()
	h.wantQuery(fmt.Sprintf(`mutation { opportunities { update(input: {id: %q, ownerId: %q, contactId: %q}) { errors { message } } } }`,
		recordID, id("User", 1), id(opportunity.TypeContact, 1)), "{opportunities:{update:{errors:[]}}}")
}

func (h *tenantFixture) sentEmails() []string {
	h.t.Helper()
	outbox, err := h.sandbox.Outbox(context.Background())
	if err != nil {
		h.t.Fatal(err)
	}
	var all []string
	for _, mail := range outbox {
		all = append(all, fmt.Sprint(mail.To, ": ", mail.Subject))
	}
	return all
}

func reserveFor(event int, learners ...string) opportunity.AddInterests {
	one := interest(len(learners))
	one.Item, one.Reserve = string(id("Course", event)), true
	for _, name := range learners {
		one.Learners = append(one.Learners, opportunity.Learner{FirstName: name, LastName: "Byrne", Email: strings.ToLower(name) + "@byrne.example"})
	}
	return opportunity.AddInterests{Interests: opportunity.Interests{one}}
}
