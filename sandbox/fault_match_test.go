package sandbox_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/sandbox/requestlog"
)

func TestTokensExpireInMidRun(t *testing.T) {
	t.Parallel()
	a := openOAuth(t, sandbox.Options{})
	first := a.requestToken(t, "grant_type=client_credentials").mustIssue(t)
	if status := a.helloStatus(t, first.AccessToken); status != 200 {
		t.Fatal(status)
	}
	if _, err := a.Faults().Set(fault.Rule{Kind: fault.ExpireTokens, From: 2, Times: 1, Operation: "hello"}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{200, 401, 401} {
		if status := a.helloStatus(t, first.AccessToken); status != want {
			t.Errorf("request %d: %d, want %d", i+1, status, want)
		}
	}
	second := a.requestToken(t, "grant_type=client_credentials").mustIssue(t)
	if status := a.helloStatus(t, second.AccessToken); status != 200 {
		t.Errorf("the next token: %d", status)
	}
	if _, err := a.Faults().Set(fault.Rule{Kind: fault.ErrorBefore, Times: 1, Operation: "token"}); err != nil {
		t.Fatal(err)
	}
	if answer := a.requestToken(t, "grant_type=client_credentials"); answer.status != 500 {
		t.Errorf("%d %s", answer.status, answer.raw)
	}
}

const twoAliases = `mutation {
	first: opportunities { addInterest(input: {opportunityId: %[1]q, interestDetails: {id: "Q291cnNlVGVtcGxhdGU6MTE=", quantity: 1, unitAmount: "1.00"}}) { errors { label } } }
	second: opportunities { progress(input: {opportunityId: %[1]q, stepId: "T3Bwb3J0dW5pdHlTdGVwOjQ="}) { errors { label } } }
	third: opportunities { addInterest(input: {opportunityId: %[1]q, interestDetails: {id: "Q291cnNlVGVtcGxhdGU6MTE=", quantity: 1, unitAmount: "1.00"}}) { errors { label } } }
}`

// By default, the fields of mutations are non-null, as in other GraphQL servers. If a non-null
// field fails internally, the response is "data": null, although the other mutations of the
// document took effect.
func TestFailedFieldKeepsOtherEffects(t *testing.T) {
	t.Parallel()
	for assumed, whole := range map[string]bool{"data-null": true, "field-null": false} {
		s := serve(t, sandbox.Options{Assumptions: map[string]string{"mutation.failed": assumed}})
		s.setFault(t, fault.Rule{Kind: fault.FailField, Operation: "opportunities.progress"})
		answer := s.post(t, fmt.Sprintf(twoAliases, s.opportunity), nil)
		if answer.status != 200 || len(answer.Errors) != 1 || !answer.hasData() || (answer.Data == nil) != whole {
			t.Errorf("%s: %d %s", assumed, answer.status, answer.raw)
		}
		if got := s.interests(t); got != 2 {
			t.Errorf("%s: %d interests", assumed, got)
		}
		nonNull := valueAt(t, s.query(t, `{ __type(name: "OpportunityMutations") { fields { type { kind } } } }`, nil), "__type", "fields", 0, "type", "kind")
		if (nonNull == "NON_NULL") != whole {
			t.Errorf("%s: the schema says %v", assumed, nonNull)
		}
	}
}

func TestFailedFieldMayStopLaterFields(t *testing.T) {
	t.Parallel()
	s := serve(t, sandbox.Options{Assumptions: map[string]string{"mutation.failed": "stops"}})
	s.setFault(t, fault.Rule{Kind: fault.FailField, Operation: "opportunities.progress"})
	answer := s.post(t, fmt.Sprintf(twoAliases, s.opportunity), nil)
	if answer.status != 200 || len(answer.Errors) != 1 || answer.Errors[0].Path[0] != "second" || !answer.hasData() || answer.Data != nil {
		t.Errorf("%d %s", answer.status, answer.raw)
	}
	if got := s.interests(t); got != 1 {
		t.Errorf("%d interests", got)
	}
	var outcomes []requestlog.Outcome
	for _, e := range s.RequestLog().After(0, 0) {
		if e.Fault != "" {
			for _, f := range e.Fields {
				outcomes = append(outcomes, f.Outcome)
			}
		}
	}
	if want := []requestlog.Outcome{requestlog.Committed, requestlog.Failed, requestlog.NotRun}; !slices.Equal(outcomes, want) {
		t.Errorf("the request log has %v, want %v", outcomes, want)
	}
	s.Faults().Clear()
	s.query(t, fmt.Sprintf(twoAliases, s.opportunity), nil)
}

func TestFaultsMatchByCountAndProbability(t *testing.T) {
	t.Parallel()
	hits := func(r fault.Rule, requests int) string {
		var plan fault.Injector
		if _, err := plan.Set(r); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for range requests {
			if plan.Match([]string{"a.b"}, `{"query": "about x"}`) != nil {
				b.WriteString("x")
			} else {
				b.WriteString(".")
			}
		}
		return b.String()
	}
	if got := hits(fault.Rule{Kind: fault.ErrorBefore, Operation: "a.c"}, 3); got != "..." {
		t.Errorf("requests of another operation: %s", got)
	}
	for want, rule := range map[string]fault.Rule{
		"xxxxxxxxxx": {},
		"....x.....": {From: 5, Times: 1},
		"..x..x..x.": {From: 3, Every: 3},
		"x.x.......": {Every: 2, Times: 2},
		"..........": {Operation: "a.b", Contains: "about y"},
		"xxx.......": {Contains: "about x", Times: 3},
		"x.........": {Operation: "a.b", Times: 1},
	} {
		rule.Kind = fault.ErrorBefore
		if got := hits(rule, 10); got != want {
			t.Errorf("%+v: %s, want %s", rule, got, want)
		}
	}
	chance := fault.Rule{Kind: fault.ErrorBefore, Probability: 0.25, Seed: 7}
	first := hits(chance, 4000)
	if again := hits(chance, 4000); again != first {
		t.Error("the same seed chose other requests")
	}
	if n := strings.Count(first, "x"); n < 900 || n > 1100 {
		t.Errorf("%d of 4000 at a probability of 0.25", n)
	}
	chance.Seed = 8
	if hits(chance, 4000) == first {
		t.Error("another seed chose the same requests")
	}
}

func TestFaultsOverTheAdminEndpoint(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{Rate: sandbox.Rate{Requests: 3, Per: time.Hour}})
	admin := func(method, path, body string) reply {
		t.Helper()
		return a.send(t, method, "/_sandbox/"+path, strings.NewReader(body), http.Header{"Authorization": {"Bearer " + a.Token()}})
	}
	if answer := a.send(t, http.MethodGet, "/_sandbox/faults", nil, nil); answer.status != 401 {
		t.Errorf("without the token: %d", answer.status)
	}
	for _, wrong := range []string{
		``, `[]`, `{}`, `{"kind":"sad"}`, `{"kind":"slow","after":"soon"}`, `{"kind":"slow","after":3}`, `{"kind":"error-before","operations":"x"}`,
		`{"kind":"error-before","probability":2}`, `{"kind":"error-before","from":-1}`, `{"kind":"fail-field"}`, `{"kind":"slow","retryAfter":"1s"}`,
		`{"kind":"partial","after":"1s"}`, `{"kind":"slow","after":"11m"}`,
		`{"kind":"fail-trigger","trigger":"invoices"}`, `{"kind":"slow","trigger":"invoice"}`, `{"kind":"error-before"} {"kind":"slow"}`, `{"kind":"error-before"}]`,
	} {
		if answer := admin(http.MethodPost, "faults", wrong); answer.status != 400 || len(answer.Errors) != 1 {
			t.Errorf("%s: %d %s", wrong, answer.status, answer.raw)
		}
	}
	set := admin(http.MethodPost, "faults", `{"kind":"error-before","operation":"hello","times":2}`)
	if set.status != 201 || !strings.Contains(set.raw, `"id":1`) {
		t.Fatalf("%d %s", set.status, set.raw)
	}
	if answer := a.post(t, `{ hello }`, nil); answer.status != 500 {
		t.Errorf("%d", answer.status)
	}
	list := admin(http.MethodGet, "faults", "")
	for _, part := range []string{`"id":1`, `"kind":"error-before"`, `"matched":1`, `"hits":1`, `"held":0`} {
		if !strings.Contains(list.raw, part) {
			t.Errorf("no %s in %s", part, list.raw)
		}
	}
	if answer := admin(http.MethodPost, "faults/1/release", ""); answer.status != 200 || !strings.Contains(answer.raw, `"released":0`) {
		t.Errorf("%d %s", answer.status, answer.raw)
	}
	if answer := admin(http.MethodPost, "faults/1/discard", ""); answer.status != 200 || !strings.Contains(answer.raw, `"discarded":0`) {
		t.Errorf("%d %s", answer.status, answer.raw)
	}
	for path, status := range map[string]int{"faults/7/release": 404, "faults/x/release": 400, "faults/7/discard": 404} {
		if answer := admin(http.MethodPost, path, ""); answer.status != status {
			t.Errorf("%s: %d", path, answer.status)
		}
	}
	if answer := admin(http.MethodDelete, "faults/1", ""); answer.status != 200 {
		t.Errorf("%d %s", answer.status, answer.raw)
	}
	if answer := a.post(t, `{ hello }`, nil); answer.status != 200 {
		t.Errorf("status after the removal of the fault: %d", answer.status)
	}
	// The preceding admin requests did not count against the rate limit of three requests.
	if answer := a.post(t, `{ hello }`, nil); answer.status != 200 {
		t.Errorf("the third request: %d", answer.status)
	}
	if answer := a.post(t, `{ hello }`, nil); answer.status != 429 {
		t.Errorf("the fourth request: %d", answer.status)
	}
	admin(http.MethodPost, "faults", `{"kind":"error-before"}`)
	if answer := admin(http.MethodDelete, "faults", ""); answer.status != 204 || len(a.Faults().List()) != 0 {
		t.Errorf("%d, %v left", answer.status, a.Faults().List())
	}
}
