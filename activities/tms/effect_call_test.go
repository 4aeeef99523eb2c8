package tms_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/activities/tms/service"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

const signingKey = "k-2718281828"

// fakeService is a tenant's service. fakeService checks each request against the documentation for
// services.
type fakeService struct {
	t *testing.T

	mu       sync.Mutex
	status   int
	requests []received
}

type received struct {
	Path, Key string
	Body      string
}

func (s *fakeService) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, err := io.ReadAll(q.Body)
	if err != nil {
		s.t.Error(err)
	}
	timestamp := q.Header.Get("Oppflow-Timestamp")
	mac := hmac.New(sha256.New, []byte(signingKey))
	_, _ = mac.Write([]byte(timestamp + "." + string(text)))
	if want := "v1=" + hex.EncodeToString(mac.Sum(nil)); q.Header.Get("Oppflow-Signature") != want {
		s.t.Errorf("signed %q, want %q", q.Header.Get("Oppflow-Signature"), want)
	}
	if at, err := strconv.ParseInt(timestamp, 10, 64); err != nil || time.Since(time.Unix(at, 0)).Abs() > time.Minute {
		s.t.Errorf("sent at %q", timestamp)
	}
	if q.Method != http.MethodPost || q.Header.Get("Content-Type") != "application/json" {
		s.t.Errorf("%s of %q", q.Method, q.Header.Get("Content-Type"))
	}
	s.requests = append(s.requests, received{q.URL.Path, q.Header.Get("Idempotency-Key"), string(text)})
	if s.status/100 == 3 {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(s.status)
}

func (s *fakeService) setStatus(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

func (s *fakeService) takeRequests() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.requests
	s.requests = nil
	return got
}

func newServiceFixture(t *testing.T) (*fixture, *fakeService, *httptest.Server) {
	t.Helper()
	s := &fakeService{t: t, status: http.StatusNoContent}
	server := httptest.NewTLSServer(s)
	t.Cleanup(server.Close)
	r := newFixture(t, tms.ReferenceTag{})
	r.options.ServiceTransport = server.Client().Transport
	r.playbook.ServiceKeys = map[string]service.Key{"erp-key": service.NewKey(signingKey)}
	r.loadPlaybook("services:\n  erp: { url: " + server.URL + "/hooks, secret: erp-key }\n  crm: { url: https://crm.example.com, secret: crm-key }\n")
	return r, s, server
}

func callEffect(record opportunity.ID) activities.EffectInput {
	return activities.EffectInput{Reference: "A 1/b", Opportunity: record, Effect: exchange.Effect{
		Key: "1/win/after/5/call", Kind: opportunity.EffectCall,
		Settings: exchange.NewSettings(exchange.CallService{Service: "erp", Path: "/orders", UndoPath: "/orders/cancel"}),
	}}
}

func TestServiceIsCalledOnceAndUndone(t *testing.T) {
	r, s, _ := newServiceFixture(t)
	record := r.createRecord("A-1")
	r.requestCount()
	in := callEffect(record)
	done := r.runEffect(in)
	r.wantEffect(done, 1, exchange.RequestCall)
	text := func(undo bool) string {
		return fmt.Sprintf(`{"reference":"A 1/b","opportunity":%q,"effect":"1/win/after/5/call","undo":%t,"step":{"id":%q,"name":"Proposed"}}`, record, undo, proposed)
	}
	if diff := cmp.Diff([]received{{"/hooks/orders", "A%201%2Fb/1/win/after/5/call", text(false)}}, s.takeRequests()); diff != "" {
		t.Error(diff)
	}
	in.UndoEntry = done.undoEntry
	r.wantEffect(r.runEffect(in), 0)

	// After a transition of the opportunity, the repeated request still names the step before the
	// transition.
	r.apply(record, progress(string(stepTwo)))
	r.requestCount()
	in.Undo = true
	undone := r.runEffect(in)
	r.wantEffect(undone, 0, exchange.RequestCall)
	if diff := cmp.Diff([]received{{"/hooks/orders/cancel", "A%201%2Fb/1/win/after/5/call/undo", text(true)}}, s.takeRequests()); diff != "" {
		t.Error(diff)
	}
	in.UndoEntry = undone.undoEntry
	r.wantEffect(r.runEffect(in), 0)
	in.UndoEntry = exchange.UndoEntry{}
	r.wantEffect(r.runEffect(in), 0) // the service was never called
	in.Effect.Settings = exchange.NewSettings(exchange.CallService{Service: "erp", Path: "/orders"})
	r.wantProblem(r.runEffect(in), 0, "no undo path")
	if got := s.takeRequests(); got != nil {
		t.Errorf("called again: %q", got)
	}
}

func TestWhatAServiceAnswers(t *testing.T) {
	r, s, _ := newServiceFixture(t)
	record := r.createRecord("A-1")
	in := callEffect(record)
	in.Request = &exchange.EffectRequest{Kind: exchange.RequestCall}
	for status, want := range map[int]exchange.ChangeStatus{
		200: exchange.StatusDone, 201: exchange.StatusDone, 202: exchange.StatusDone,
		302: exchange.StatusUnknown, 307: exchange.StatusUnknown,
		400: exchange.StatusRejected, 404: exchange.StatusRejected, 409: exchange.StatusRejected, 410: exchange.StatusRejected,
		408: exchange.StatusUnknown, 425: exchange.StatusUnknown, 429: exchange.StatusUnknown,
		500: exchange.StatusUnknown, 503: exchange.StatusUnknown,
	} {
		s.setStatus(status)
		out := mustRunActivity[activities.ExecuteResult](r, activities.ExecuteEffect, in)
		if out.Status != want || (want == exchange.StatusDone) != (out.UndoEntry.Notes["called"] == "done") {
			t.Errorf("%d: %+v", status, out)
		}
		if want != exchange.StatusDone && !strings.Contains(out.Error.Message, strconv.Itoa(status)) {
			t.Errorf("%d: says %q", status, out.Error.Message)
		}
		if n := len(s.takeRequests()); n != 1 {
			t.Errorf("%d: %d requests; a signed one is for nobody else", status, n)
		}
	}
}

// A repetition is the same request to the service, except for the time of its signature.
func TestCallOfUnknownStatusIsRepeatedUnchanged(t *testing.T) {
	r, s, _ := newServiceFixture(t)
	record := r.createRecord("A-1")
	in := callEffect(record)
	looked := mustRunActivity[activities.InspectResult](r, activities.InspectEffect, in)
	s.setStatus(http.StatusBadGateway)
	in.UndoEntry, in.Request = looked.UndoEntry, looked.Request
	if out := mustRunActivity[activities.ExecuteResult](r, activities.ExecuteEffect, in); out.Status != exchange.StatusUnknown {
		t.Fatalf("%+v", out)
	}
	r.apply(record, progress(string(stepTwo)))
	s.setStatus(http.StatusOK)
	if out := r.runEffect(in); out.problem != "" {
		t.Errorf("%+v", out)
	}
	if got := s.takeRequests(); len(got) != 2 || got[0] != got[1] {
		t.Errorf("got %q", got)
	}
}

func TestUnreachableServiceIsNotSent(t *testing.T) {
	r, _, server := newServiceFixture(t)
	record := r.createRecord("A-1")
	server.Close()
	r.wantProblem(r.runEffect(callEffect(record)), 2, "not sent: unreachable", exchange.RequestCall)
}

func TestACallThatCannotBeSigned(t *testing.T) {
	r, _, _ := newServiceFixture(t)
	record := r.createRecord("A-1")
	r.requestCount()
	in := callEffect(record)
	changeSettings(&in.Effect, func(c *exchange.CallService) { c.Service = "crm" })
	r.wantProblem(r.runEffect(in), 0, `no key "crm-key"`)
	changeSettings(&in.Effect, func(c *exchange.CallService) { c.Service = "another" })
	r.wantProblem(r.runEffect(in), 0, `no service "another"`)
}

func TestAReadOnlyWorkerCallsNobody(t *testing.T) {
	r, s, _ := newServiceFixture(t)
	record := r.createRecord("A-1")
	r.options.ReadOnly = true
	r.newWorker(tms.ReferenceTag{})
	r.requestCount()
	r.wantProblem(r.runEffect(callEffect(record)), 1, "read-only", exchange.RequestCall)
	if got := s.takeRequests(); got != nil {
		t.Errorf("called: %q", got)
	}
}

// A worker that does not know yet to which tenant the namespace belongs calls no service.
func TestAWorkerOfAnotherTenantCallsNobody(t *testing.T) {
	for name, c := range map[string]struct {
		why  error
		want string
	}{
		"another tenant": {errors.New("it belongs to another tenant"), "not sent: tenant"},
		"not known yet":  {&administrate.NotSentError{Reason: administrate.Unreachable}, "not sent: unreachable"},
	} {
		t.Run(name, func(t *testing.T) {
			r, s, _ := newServiceFixture(t)
			record := r.createRecord("A-1")
			r.options.CheckPermission = func(context.Context) error { return c.why }
			r.newWorker(tms.ReferenceTag{})
			r.requestCount()
			r.wantProblem(r.runEffect(callEffect(record)), 1, c.want, exchange.RequestCall)
			if got := s.takeRequests(); got != nil {
				t.Errorf("called: %q", got)
			}
		})
	}
}

func TestServiceKeysDoNotShow(t *testing.T) {
	key := service.NewKey(signingKey)
	book := tms.VersionedPlaybook{ServiceKeys: map[string]service.Key{"erp": key}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if shown := fmt.Sprintf(verb+verb+verb, key, &key, book); strings.Contains(shown, signingKey) || strings.Contains(shown, hex.EncodeToString([]byte(signingKey))) {
			t.Errorf("%s shows %s", verb, shown)
		}
	}
	if text, err := json.Marshal(key); err != nil || strings.Contains(string(text), signingKey) {
		t.Errorf("%s, %v", text, err)
	}
}
