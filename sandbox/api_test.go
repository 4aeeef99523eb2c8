package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
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

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

const token = "a token"

// api is a sandbox under test with a plain client.
type api struct {
	*sandbox.Sandbox
	log *logs
}

// The sandbox logs only its own internal failures, so the test fails when logs is not empty.
type logs struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func open(t *testing.T, o sandbox.Options) *api {
	t.Helper()
	if o.Token == "" {
		o.Token = token
	}
	a, err := tryOpen(t, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if a.log.Len() > 0 {
			t.Errorf("the sandbox logged an internal failure: %s", a.log)
		}
	})
	return a
}

func tryOpen(t *testing.T, o sandbox.Options) (*api, error) {
	t.Helper()
	log := &logs{}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(log, nil))
	}
	s, err := sandbox.Open(t.Context(), o)
	return &api{Sandbox: s, log: log}, err
}

type reply struct {
	status int
	header http.Header
	raw    string
	Data   any       `json:"data"`
	Errors []failure `json:"errors"`
}

type failure struct {
	Message string `json:"message"`
	Path    []any  `json:"path"`
}

func (r reply) hasData() bool {
	var members map[string]json.RawMessage
	return json.Unmarshal([]byte(r.raw), &members) == nil && members["data"] != nil
}

type vars map[string]any

func (a *api) post(t testing.TB, document string, v vars) reply {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": document, "variables": v})
	if err != nil {
		t.Fatal(err)
	}
	return a.send(t, http.MethodPost, "/graphql", bytes.NewReader(body), http.Header{
		"Content-Type": {"application/json"}, "Authorization": {"Bearer " + a.Token()},
	})
}

func (a *api) send(t testing.TB, method, path string, body io.Reader, header http.Header) reply {
	t.Helper()
	r := httptest.NewRequestWithContext(context.Background(), method, path, body)
	r.Header = header
	w := httptest.NewRecorder()
	a.Handler().ServeHTTP(w, r)
	answer := reply{status: w.Code, header: w.Header(), raw: w.Body.String()}
	if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("the response is not JSON: %v: %s", err, answer.raw)
		}
	}
	return answer
}

// query sends a GraphQL document and expects no GraphQL errors.
func (a *api) query(t testing.TB, document string, v vars) any {
	t.Helper()
	answer := a.post(t, document, v)
	if answer.status != http.StatusOK || len(answer.Errors) > 0 || answer.Data == nil {
		t.Fatalf("status %d: %s\n%s", answer.status, answer.raw, document)
	}
	return answer.Data
}

func valueAt(t testing.TB, data any, path ...any) any {
	t.Helper()
	for i, p := range path {
		switch p := p.(type) {
		case string:
			object, ok := data.(map[string]any)
			if _, there := object[p]; !ok || !there {
				t.Fatalf("no %v in %v", path[:i+1], data)
			}
			data = object[p]
		case int:
			list, ok := data.([]any)
			if !ok || p >= len(list) {
				t.Fatalf("no %v in %v", path[:i+1], data)
			}
			data = list[p]
		}
	}
	return data
}

func wantJSON(t testing.TB, got any, wanted string) {
	t.Helper()
	var w any
	if err := json.Unmarshal([]byte(wanted), &w); err != nil {
		t.Fatalf("the expected response of the test is not JSON: %v", err)
	}
	if diff := cmp.Diff(w, got); diff != "" {
		t.Errorf("the response differs (-want +got):\n%s", diff)
	}
}

func (a *api) mutate(t testing.TB, name, input, selection string) any {
	t.Helper()
	data := a.query(t, fmt.Sprintf("mutation { opportunities { %s(input: {%s}) { errors { label message value } %s } } }", name, input, selection), nil)
	return valueAt(t, data, "opportunities", name)
}

func mustSucceed(t testing.TB, payload any) any {
	t.Helper()
	if errors := valueAt(t, payload, "errors").([]any); len(errors) > 0 {
		t.Fatalf("refused: %v", errors)
	}
	return payload
}

func (a *api) create(t testing.TB, name string) string {
	t.Helper()
	payload := mustSucceed(t, a.mutate(t, "create", fmt.Sprintf("name: %q, regionId: %q", name, globalid.Encode(globalid.Region, "UK")), "opportunity { id }"))
	return valueAt(t, payload, "opportunity", "id").(string)
}

func (a *api) addCourse(t testing.TB, opportunity string, quantity int, unitAmount string) string {
	t.Helper()
	payload := mustSucceed(t, a.mutate(t, "addInterest", fmt.Sprintf("opportunityId: %q, interestDetails: {id: %q, quantity: %d, unitAmount: %q}",
		opportunity, globalid.EncodeInt(globalid.CourseTemplate, 11), quantity, unitAmount), "interests { id }"))
	return valueAt(t, payload, "interests", 0, "id").(string)
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func quoteJSON(s string) string {
	quoted, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(quoted)
}
