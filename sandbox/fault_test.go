package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/sandbox/requestlog"
)

// testServer is a sandbox behind a real HTTP server, because a fault can break only a real
// connection.
type testServer struct {
	*api
	url         string
	opportunity string
}

func serve(t *testing.T, o sandbox.Options) testServer {
	t.Helper()
	a := open(t, o)
	server := httptest.NewServer(a.Handler())
	t.Cleanup(func() {
		a.Faults().Close()
		server.Close()
	})
	return testServer{api: a, url: server.URL, opportunity: a.create(t, "served")}
}

// postOverNetwork returns an error if the response body is incomplete.
func (s testServer) postOverNetwork(ctx context.Context, document string) (status int, body string, err error) {
	encoded, err := json.Marshal(map[string]string{"query": document})
	if err != nil {
		return 0, "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/graphql", bytes.NewReader(encoded))
	if err != nil {
		return 0, "", err
	}
	r.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + s.Token()}}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = answer.Body.Close() }()
	read, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(read), err
}

const addOne = `mutation { opportunities { addInterest(input: {opportunityId: %q, interestDetails: {id: "Q291cnNlVGVtcGxhdGU6MTE=", quantity: 1, unitAmount: "1.00"}}) { errors { label } interests { id } } } }`

func (s testServer) addInterest(ctx context.Context) (status int, body string, err error) {
	return s.postOverNetwork(ctx, fmt.Sprintf(addOne, s.opportunity))
}

func (s testServer) interests(t testing.TB) int {
	t.Helper()
	data := s.query(t, `query ($id: ID!) { node(id: $id) { ... on Opportunity { interests { pageInfo { totalRecords } } } } }`, vars{"id": s.opportunity})
	return int(valueAt(t, data, "node", "interests", "pageInfo", "totalRecords").(float64))
}

func (s testServer) setFault(t testing.TB, r fault.Rule) int {
	t.Helper()
	id, err := s.Faults().Set(r)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		<-ticker.C
	}
}

// Documented (API notes 1): status 500 is an unexpected error, and status 429 means that the client
// exceeded the rate limit. A client cannot tell from a faulty response whether the request took
// effect.
func TestFaultyResponses(t *testing.T) {
	t.Parallel()
	s := serve(t, sandbox.Options{})
	for kind, want := range map[fault.Kind]struct {
		status int
		effect int
		broken bool // the response does not arrive whole
	}{
		fault.ErrorBefore:     {status: 500},
		fault.ErrorAfter:      {status: 500, effect: 1},
		fault.DropBefore:      {broken: true},
		fault.DropAfter:       {broken: true, effect: 1},
		fault.TooManyRequests: {status: 429},
		fault.Truncated:       {broken: true, effect: 1},
		fault.Malformed:       {status: 200, effect: 1},
		fault.Slow:            {status: 200, effect: 1},
	} {
		rule := fault.Rule{Kind: kind, Operation: "opportunities.addInterest", Times: 1}
		if kind == fault.Slow {
			rule.Delay = fault.Duration(50 * time.Millisecond)
		}
		before, began := s.interests(t), time.Now()
		s.setFault(t, rule)
		status, body, err := s.addInterest(t.Context())
		if broken := err != nil; broken != want.broken || !broken && status != want.status {
			t.Errorf("%s: %d %q %v", kind, status, body, err)
		}
		if got := s.interests(t) - before; got != want.effect {
			t.Errorf("%s: %d interests were added, want %d", kind, got, want.effect)
		}
		if sound := json.Valid([]byte(body)); err == nil && sound == (kind == fault.Malformed) {
			t.Errorf("%s: %q", kind, body)
		}
		if took := time.Since(began); kind == fault.Slow && took < 50*time.Millisecond {
			t.Errorf("slow: %v", took)
		}
		if status, body, err := s.addInterest(t.Context()); err != nil || status != 200 || !strings.Contains(body, `"errors":[]`) {
			t.Errorf("after %s: %d %q %v", kind, status, body, err)
		}
		s.Faults().Clear()
	}
}

func TestTooManyRequestsWithRetryAfter(t *testing.T) {
	t.Parallel()
	s := serve(t, sandbox.Options{})
	s.setFault(t, fault.Rule{Kind: fault.TooManyRequests, Times: 1, RetryAfter: fault.Duration(1500 * time.Millisecond)})
	if answer := s.post(t, `{ hello }`, nil); answer.status != 429 || answer.header.Get("Retry-After") != "2" {
		t.Errorf("%d %v", answer.status, answer.header)
	}
}

// A request that a fault holds before the commit has no effect until the release. After the
// release, the request takes effect although the client no longer waits.
func TestHeldRequests(t *testing.T) {
	t.Parallel()
	s := serve(t, sandbox.Options{})
	for _, kind := range []fault.Kind{fault.HoldBefore, fault.HoldAfter} {
		before := s.interests(t)
		id := s.setFault(t, fault.Rule{Kind: kind, Operation: "opportunities.addInterest", Times: 1})
		ctx, giveUp := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, _, err := s.addInterest(ctx)
			ended <- err
		}()
		eventually(t, "the request is held", func() bool { return s.Faults().List()[0].Held == 1 })
		if got := s.interests(t) - before; (got == 1) != (kind == fault.HoldAfter) {
			t.Errorf("%s: %d interests exist while the fault holds the request", kind, got)
		}
		giveUp()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", kind, err)
		}
		if n, err := s.Faults().Release(id); n != 1 || err != nil {
			t.Errorf("released %d, %v", n, err)
		}
		eventually(t, "the interest is there", func() bool { return s.interests(t) == before+1 })
		s.Faults().Clear()
	}
	id := s.setFault(t, fault.Rule{Kind: fault.HoldAfter, Times: 1, Operation: "opportunities.addInterest"})
	answered := make(chan string, 1)
	go func() {
		_, body, _ := s.addInterest(t.Context())
		answered <- body
	}()
	eventually(t, "the request is held", func() bool { return s.Faults().List()[0].Held == 1 })
	if err := s.Faults().Remove(id); err != nil {
		t.Fatal(err)
	}
	if body := <-answered; !strings.Contains(body, `"errors":[]`) {
		t.Error(body)
	}
}

func TestFaultsOfAnyMutation(t *testing.T) {
	t.Parallel()
	s := serve(t, sandbox.Options{})
	s.setFault(t, fault.Rule{Kind: fault.ErrorBefore, Operation: fault.AnyMutation})
	if answer := s.post(t, `{ hello }`, nil); answer.status != 200 {
		t.Errorf("a query: %d", answer.status)
	}
	if status, _, _ := s.addInterest(t.Context()); status != 500 {
		t.Errorf("a mutation: %d", status)
	}
}

func TestDiscardedRequests(t *testing.T) {
	t.Parallel()
	s := serve(t, sandbox.Options{})
	for _, kind := range []fault.Kind{fault.HoldBefore, fault.HoldAfter, fault.Late} {
		before := s.interests(t)
		id := s.setFault(t, fault.Rule{Kind: kind, Operation: "opportunities.addInterest", Times: 1})
		ended := make(chan error, 1)
		go func() {
			_, _, err := s.addInterest(t.Context())
			ended <- err
		}()
		eventually(t, "the request is held", func() bool { return s.Faults().List()[0].Held == 1 })
		if n, err := s.Faults().Discard(id); n != 1 || err != nil {
			t.Errorf("discarded %d, %v", n, err)
		}
		if err := <-ended; err == nil {
			t.Errorf("%s: the client got a response", kind)
		}
		if got := s.interests(t) - before; (got == 1) != (kind == fault.HoldAfter) {
			t.Errorf("%s: %d interests", kind, got)
		}
		want := requestlog.NotRun
		if kind == fault.HoldAfter {
			want = requestlog.Committed
		}
		eventually(t, "the request log says so", func() bool {
			return slices.ContainsFunc(s.RequestLog().After(0, 1000), func(e requestlog.Entry) bool {
				return e.Undelivered && len(e.Fields) == 1 && e.Fields[0].Outcome == want && e.Fault == string(kind)
			})
		})
		s.Faults().Clear()
	}
}

// A client detects a late commit only if the client reads the record after the commit.
func TestLateCommit(t *testing.T) {
	t.Parallel()
	s := serve(t, sandbox.Options{})
	// If a client does not disconnect, the removal of the fault Late lets the request of the client
	// run.
	id := s.setFault(t, fault.Rule{Kind: fault.Late, Operation: "opportunities.addInterest", Times: 1})
	patient := make(chan error, 1)
	go func() {
		_, _, err := s.addInterest(t.Context())
		patient <- err
	}()
	eventually(t, "it is kept", func() bool { return s.Faults().List()[0].Held == 1 })
	if err := s.Faults().Remove(id); err != nil {
		t.Fatal(err)
	}
	if err := <-patient; err == nil {
		t.Error("the late request got a response")
	}
	eventually(t, "the first interest is there", func() bool { return s.interests(t) == 1 })
	s.setFault(t, fault.Rule{Kind: fault.Late, Operation: "opportunities.addInterest", Times: 1, Delay: fault.Duration(20 * time.Millisecond)})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := s.addInterest(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if got := s.interests(t); got != 1 {
		// The second interest can exist at this point only if the machine was blocked for longer
		// than Delay.
		entries := s.RequestLog().After(0, 0)
		t.Logf("the request ran before this check: %+v", entries[len(entries)-1])
	}
	eventually(t, "the interest is there", func() bool { return s.interests(t) == 2 })
	if list := s.Faults().List(); list[0].Held != 0 {
		t.Errorf("%+v", list)
	}
	var late []requestlog.Entry
	eventually(t, "both are written down", func() bool {
		late = slices.DeleteFunc(s.RequestLog().After(0, 0), func(e requestlog.Entry) bool { return e.Fault != string(fault.Late) })
		return len(late) == 2
	})
	for i, e := range late {
		if e.ClientGone != (i == 1) || len(e.Fields) != 1 || e.Fields[0].Outcome != requestlog.Committed {
			t.Errorf("%+v", e)
		}
	}
}

func TestFailQuery(t *testing.T) {
	t.Parallel()
	s := serve(t, sandbox.Options{})
	s.setFault(t, fault.Rule{Kind: fault.FailQuery, Operation: "regions"})
	status, body, err := s.postOverNetwork(t.Context(), `query Lookup { regions { edges { node { id } } } }`)
	if err != nil || status != http.StatusOK || !strings.Contains(body, `"errors":[{"message":`) || !strings.Contains(body, `"data":null`) {
		t.Errorf("the query that fails: %d %s %v", status, body, err)
	}
	if status, body, err := s.postOverNetwork(t.Context(), `{ hello }`); err != nil || status != http.StatusOK || strings.Contains(body, "errors") {
		t.Errorf("another query: %d %s %v", status, body, err)
	}
	for _, operation := range []string{"", fault.AnyMutation, "opportunities.progress"} {
		if _, err := s.Faults().Set(fault.Rule{Kind: fault.FailQuery, Operation: operation}); err == nil {
			t.Errorf("operation %q is no query", operation)
		}
	}
}

// A request that is too large or exceeds the rate limit matches no fault, and the rule does not
// count the request.
func TestRejectedRequestsMatchNoFault(t *testing.T) {
	t.Parallel()
	s := serve(t, sandbox.Options{Rate: sandbox.Rate{Requests: 1, Per: time.Hour}})
	s.setFault(t, fault.Rule{Kind: fault.DropBefore, Times: 1})
	large := strings.NewReader(`{"query": "` + strings.Repeat(" ", 1<<20) + `{ hello }"}`)
	if answer := s.send(t, http.MethodPost, "/graphql", large, nil); answer.status != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %d %.100s", answer.status, answer.raw)
	}
	if status, _, err := s.postOverNetwork(t.Context(), `{ hello }`); err == nil {
		t.Errorf("status within the limit: %d, want no response", status)
	}
	s.setFault(t, fault.Rule{Kind: fault.DropBefore})
	if status, body, err := s.postOverNetwork(t.Context(), `{ hello }`); err != nil || status != http.StatusTooManyRequests {
		t.Errorf("over the limit: %d %s %v", status, body, err)
	}
	for i, want := range []int{1, 0} {
		if rule := s.Faults().List()[i]; rule.Matched != want || rule.Hits != want {
			t.Errorf("rule %d: %+v", rule.ID, rule)
		}
	}
}

// The server's time-outs do not end a request that a fault holds or slows down.
func TestFaultsOutlastTheServer(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	server := httptest.NewUnstartedServer(a.Handler())
	server.Config.ReadTimeout, server.Config.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
	server.Start()
	t.Cleanup(func() {
		a.Faults().Close()
		server.Close()
	})
	s := testServer{api: a, url: server.URL, opportunity: a.create(t, "kept")}
	for kind, after := range map[fault.Kind]time.Duration{fault.HoldBefore: 0, fault.HoldAfter: 0, fault.Slow: 300 * time.Millisecond} {
		id := s.setFault(t, fault.Rule{Kind: kind, Times: 1, Operation: "opportunities.addInterest", Delay: fault.Duration(after)})
		began, answered := time.Now(), make(chan error, 1)
		go func() {
			_, body, err := s.addInterest(t.Context())
			if err == nil && !strings.Contains(body, `"errors":[]`) {
				err = fmt.Errorf("answered %s", body)
			}
			answered <- err
		}()
		eventually(t, "it outlasts the time-outs", func() bool { return time.Since(began) > 250*time.Millisecond })
		if _, err := s.Faults().Release(id); err != nil {
			t.Fatal(err)
		}
		if err := <-answered; err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		s.Faults().Clear()
	}
	for _, e := range a.RequestLog().After(0, 0) {
		if e.ClientGone || e.Undelivered {
			t.Errorf("the entry does not show that the client disconnected: %+v", e)
		}
	}
}
