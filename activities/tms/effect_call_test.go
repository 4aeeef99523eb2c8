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
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

const signingKey = "k-2718281828"

// service is a tenant's service that checks each request as the documentation of services
// says.
type service struct {
	t *testing.T

	mu     sync.Mutex
	status int
	got    []received
}

type received struct {
	Path, Key string
	Body      string
}

func (s *service) ServeHTTP(w http.ResponseWriter, q *http.Request) {
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
	s.got = append(s.got, received{q.URL.Path, q.Header.Get("Idempotency-Key"), string(text)})
	if s.status/100 == 3 {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(s.status)
}

func (s *service) answer(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

func (s *service) taken() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got
	s.got = nil
	return got
}

// serviced returns a room whose worker may call a service.
func serviced(t *testing.T) (*room, *service, *httptest.Server) {
	t.Helper()
	s := &service{t: t, status: http.StatusNoContent}
	server := httptest.NewTLSServer(s)
	t.Cleanup(server.Close)
	r := newRoom(t, tms.Mark{})
	r.options.Services = server.Client().Transport
	r.options.ServiceKeys = map[string]tms.ServiceKey{"erp-key": tms.NewServiceKey(signingKey)}
	r.follow("services:\n  erp: { url: " + server.URL + "/hooks, secret: erp-key }\n  crm: { url: https://crm.example.com, secret: crm-key }\n")
	return r, s, server
}

func callEffect(record opportunity.ID) activities.EffectInput {
	return activities.EffectInput{Reference: "A 1/b", Opportunity: record, Effect: opportunity.Effect{
		Key: "1/win/after/5/call", Kind: opportunity.EffectCall,
		Call: &opportunity.CallService{Service: "erp", Path: "/orders", UndoPath: "/orders/cancel"},
	}}
}

func TestAServiceIsCalledOnceAndToldToTakeItBack(t *testing.T) {
	r, s, _ := serviced(t)
	record := r.created("A-1")
	r.requested()
	in := callEffect(record)
	done := r.ensure(in)
	r.want(done, 1, opportunity.ActCall)
	text := func(undo bool) string {
		return fmt.Sprintf(`{"reference":"A 1/b","opportunity":%q,"effect":"1/win/after/5/call","undo":%t,"step":{"id":%q,"name":"Proposed"}}`, record, undo, proposed)
	}
	if diff := cmp.Diff([]received{{"/hooks/orders", "A%201%2Fb/1/win/after/5/call", text(false)}}, s.taken()); diff != "" {
		t.Error(diff)
	}
	in.Trace = done.trace
	r.want(r.ensure(in), 0)

	// The opportunity moves on, and the repeated request still names the earlier step.
	r.apply(record, progress(string(stepTwo)))
	r.requested()
	in.Undo = true
	undone := r.ensure(in)
	r.want(undone, 0, opportunity.ActCall)
	if diff := cmp.Diff([]received{{"/hooks/orders/cancel", "A%201%2Fb/1/win/after/5/call/undo", text(true)}}, s.taken()); diff != "" {
		t.Error(diff)
	}
	in.Trace = undone.trace
	r.want(r.ensure(in), 0)
	in.Trace = opportunity.Trace{}
	r.want(r.ensure(in), 0) // the service was never called
	in.Effect.Call = &opportunity.CallService{Service: "erp", Path: "/orders"}
	r.wantProblem(r.ensure(in), 0, "no path")
	if got := s.taken(); got != nil {
		t.Errorf("called again: %q", got)
	}
}

func TestWhatAServiceAnswers(t *testing.T) {
	r, s, _ := serviced(t)
	record := r.created("A-1")
	in := callEffect(record)
	in.Act = &opportunity.Act{Kind: opportunity.ActCall}
	for status, want := range map[int]opportunity.Fate{
		200: opportunity.FateDone, 201: opportunity.FateDone, 202: opportunity.FateDone,
		302: opportunity.FateUnknown, 307: opportunity.FateUnknown,
		400: opportunity.FateRejected, 404: opportunity.FateRejected, 409: opportunity.FateRejected, 410: opportunity.FateRejected,
		408: opportunity.FateUnknown, 425: opportunity.FateUnknown, 429: opportunity.FateUnknown,
		500: opportunity.FateUnknown, 503: opportunity.FateUnknown,
	} {
		s.answer(status)
		out := do[activities.CarryOutResult](r, activities.CarryOutEffect, in)
		if out.Fate != want || (want == opportunity.FateDone) != (out.Trace.Values["called"] == "done") {
			t.Errorf("%d: %+v", status, out)
		}
		if want != opportunity.FateDone && !strings.Contains(out.Error.Message, strconv.Itoa(status)) {
			t.Errorf("%d: says %q", status, out.Error.Message)
		}
		if n := len(s.taken()); n != 1 {
			t.Errorf("%d: %d requests; a signed one is for nobody else", status, n)
		}
	}
}

// A repetition is the same request to the service, except for the time of its signature.
func TestACallOfUnknownFateIsRepeatedAlike(t *testing.T) {
	r, s, _ := serviced(t)
	record := r.created("A-1")
	in := callEffect(record)
	looked := do[activities.InspectResult](r, activities.InspectEffect, in)
	s.answer(http.StatusBadGateway)
	in.Trace, in.Act = looked.Trace, looked.Act
	if out := do[activities.CarryOutResult](r, activities.CarryOutEffect, in); out.Fate != opportunity.FateUnknown {
		t.Fatalf("%+v", out)
	}
	r.apply(record, progress(string(stepTwo)))
	s.answer(http.StatusOK)
	if out := r.ensure(in); out.problem != "" {
		t.Errorf("%+v", out)
	}
	if got := s.taken(); len(got) != 2 || got[0] != got[1] {
		t.Errorf("got %q", got)
	}
}

func TestAServiceThatIsNotThereWasNotAsked(t *testing.T) {
	r, _, server := serviced(t)
	record := r.created("A-1")
	server.Close()
	r.wantProblem(r.ensure(callEffect(record)), 2, "not sent: unreachable", opportunity.ActCall)
}

func TestACallThatCannotBeSigned(t *testing.T) {
	r, _, _ := serviced(t)
	record := r.created("A-1")
	r.requested()
	in := callEffect(record)
	in.Effect.Call.Service = "crm"
	r.wantProblem(r.ensure(in), 0, `no key "crm-key"`)
	in.Effect.Call.Service = "another"
	r.wantProblem(r.ensure(in), 0, `no service "another"`)
}

func TestAReadOnlyWorkerCallsNobody(t *testing.T) {
	r, s, _ := serviced(t)
	record := r.created("A-1")
	r.options.ReadOnly = true
	r.worker(tms.Mark{})
	r.requested()
	r.wantProblem(r.ensure(callEffect(record)), 1, "read-only", opportunity.ActCall)
	if got := s.taken(); got != nil {
		t.Errorf("called: %q", got)
	}
}

// A worker of another tenant than the namespace's calls no service. A worker that does
// not know yet whose namespace it is sends nothing, for the same reason as with the API.
func TestAWorkerOfAnotherTenantCallsNobody(t *testing.T) {
	for name, c := range map[string]struct {
		why  error
		want string
	}{
		"another tenant": {errors.New("it belongs to another tenant"), "not sent: tenant"},
		"not known yet":  {&administrate.NotSentError{Reason: administrate.Unreachable}, "not sent: unreachable"},
	} {
		t.Run(name, func(t *testing.T) {
			r, s, _ := serviced(t)
			record := r.created("A-1")
			r.options.Permitted = func(context.Context) error { return c.why }
			r.worker(tms.Mark{})
			r.requested()
			r.wantProblem(r.ensure(callEffect(record)), 1, c.want, opportunity.ActCall)
			if got := s.taken(); got != nil {
				t.Errorf("called: %q", got)
			}
		})
	}
}

func TestServiceKeysDoNotShow(t *testing.T) {
	key := tms.NewServiceKey(signingKey)
	options := tms.Options{ServiceKeys: map[string]tms.ServiceKey{"erp": key}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if shown := fmt.Sprintf(verb+verb+verb, key, &key, options); strings.Contains(shown, signingKey) || strings.Contains(shown, hex.EncodeToString([]byte(signingKey))) {
			t.Errorf("%s shows %s", verb, shown)
		}
	}
	if text, err := json.Marshal(key); err != nil || strings.Contains(string(text), signingKey) {
		t.Errorf("%s, %v", text, err)
	}
}
