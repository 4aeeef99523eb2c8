package sandbox_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox"
)

// Observed (API notes 1): a request has the header "Authorization: Bearer" with the token.
// Documented (API notes 1): the status 401 means that the authentication failed.
func TestRequestsNeedTheToken(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	const body = `{"query": "{ hello }"}`
	for name, c := range map[string]struct {
		authorization []string
		status        int
	}{
		"the token":                {[]string{"Bearer " + token}, 200},
		"the scheme in small caps": {[]string{"bearer " + token}, 200},
		"none":                     {nil, 401},
		"another token":            {[]string{"Bearer another"}, 401},
		"the start of the token":   {[]string{"Bearer a"}, 401},
		"an empty token":           {[]string{"Bearer "}, 401},
		"the token alone":          {[]string{token}, 401},
		"another scheme":           {[]string{"Basic " + token}, 401},
	} {
		answer := a.send(t, http.MethodPost, "/graphql", strings.NewReader(body), http.Header{"Content-Type": {"application/json"}, "Authorization": c.authorization})
		if answer.status != c.status {
			t.Errorf("%s: status %d, want %d", name, answer.status, c.status)
		}
		if c.status == 401 && (answer.hasData() || len(answer.Errors) != 1 || !strings.HasPrefix(answer.header.Get("WWW-Authenticate"), "Bearer")) {
			t.Errorf("%s: %v %s", name, answer.header, answer.raw)
		}
	}
	free := open(t, sandbox.Options{NoAuth: true})
	for _, authorization := range [][]string{nil, {"Bearer whatever"}} {
		if answer := free.send(t, http.MethodPost, "/graphql", strings.NewReader(body), http.Header{"Content-Type": {"application/json"}, "Authorization": authorization}); answer.status != 200 {
			t.Errorf("without authentication: %d", answer.status)
		}
	}
}

// A random token is never empty. Each sandbox has another token.
func TestTokensAreRandom(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 3 {
		a, err := tryOpen(t, sandbox.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Token()) < 32 || seen[a.Token()] {
			t.Errorf("the token is %q", a.Token())
		}
		seen[a.Token()] = true
		_ = a.Close()
	}
}

// Observed (API notes 1): requests are POST. The body of a request is JSON with the member query
// and, if needed, variables and operationName. The Content-Type of a request is application/json.
// Documented (API notes 1): the status is 200 for every GraphQL result. GraphQL errors are in the
// body.
func TestHTTP(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{NoAuth: true})
	json := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	for name, c := range map[string]struct {
		method, path, body string
		header             http.Header
		status             int
		says               string
	}{
		"health":               {"GET", "/healthz", "", nil, 200, "ok"},
		"the root":             {"POST", "/", "", nil, 404, "POST requests to /graphql"},
		"another path":         {"POST", "/graphql/v1", "{}", json, 404, "POST requests to /graphql"},
		"GET":                  {"GET", "/graphql?query={hello}", "", nil, 405, "POST"},
		"a query":              {"POST", "/graphql", `{"query": "{ hello }"}`, json, 200, `{"data":{"hello":"Hello"}}`},
		"all members":          {"POST", "/graphql", `{"query": "query A { hello } query B { echo }", "operationName": "A", "variables": null, "extensions": {}}`, json, 200, `{"data":{"hello":"Hello"}}`},
		"unknown operation":    {"POST", "/graphql", `{"query": "query A { hello }", "operationName": "B"}`, json, 200, "operation B not found"},
		"no content type":      {"POST", "/graphql", `{"query": "{ hello }"}`, http.Header{}, 415, "application/json"},
		"another content type": {"POST", "/graphql", `{ hello }`, http.Header{"Content-Type": {"application/graphql"}}, 415, "application/json"},
		"no JSON":              {"POST", "/graphql", `{ hello }`, json, 400, "not a JSON object"},
		"half a JSON":          {"POST", "/graphql", `{"query": "{ he`, json, 400, "not a JSON object"},
		"nothing":              {"POST", "/graphql", ``, json, 400, "not a JSON object"},
		"a list":               {"POST", "/graphql", `[{"query": "{ hello }"}]`, json, 400, "not a JSON object"},
		"two":                  {"POST", "/graphql", `{"query": "{ hello }"}{}`, json, 400, "text after its JSON object"},
		"no query":             {"POST", "/graphql", `{"variables": {}}`, json, 400, "no query"},
		"variables as a list":  {"POST", "/graphql", `{"query": "{ hello }", "variables": []}`, json, 400, "not a JSON object"},
		"too large":            {"POST", "/graphql", `{"query": "` + strings.Repeat(" ", 1<<20) + `{ hello }"}`, json, 413, "1024 KiB"},
	} {
		answer := a.send(t, c.method, c.path, strings.NewReader(c.body), c.header)
		if answer.status != c.status || !strings.Contains(answer.raw, c.says) {
			t.Errorf("%s: %d %.300s, want %d %s", name, answer.status, answer.raw, c.status, c.says)
		}
		if answer.status == 200 && c.path == "/graphql" && answer.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: Content-Type %q", name, answer.header.Get("Content-Type"))
		}
	}
}

// Documented (API notes 3.5): in some examples, a successful response has an empty list "errors"
// beside "data". In other documented examples, a successful response has no "errors".
func TestEmptyErrorsAtTheTop(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{"left-out": `{"data":{"hello":"Hello"}}`, "shown": `{"errors":[],"data":{"hello":"Hello"}}`} {
		a := open(t, sandbox.Options{Assumptions: map[string]string{"errors.empty": value}})
		if answer := a.post(t, `{ hello }`, nil); answer.status != http.StatusOK || answer.raw != want {
			t.Errorf("%s: %d %s", value, answer.status, answer.raw)
		}
		if answer := a.post(t, `{ nothing }`, nil); len(answer.Errors) != 1 || answer.hasData() {
			t.Errorf("%s: %s", value, answer.raw)
		}
		a.create(t, "made")
	}
}

// The sandbox logs internal failures.
func TestFailuresInsideAreNotShown(t *testing.T) {
	t.Parallel()
	a, err := tryOpen(t, sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	answer := a.post(t, `{ opportunities { edges { node { id } } } }`, nil)
	if answer.status != 200 || answer.Data != nil || len(answer.Errors) != 1 || !strings.HasPrefix(answer.Errors[0].Message, "internal error") || strings.Contains(answer.raw, "sql") {
		t.Errorf("%d %s", answer.status, answer.raw)
	}
	if !strings.Contains(a.log.String(), "database is closed") {
		t.Errorf("the log has %q", a.log)
	}
	if health := a.send(t, http.MethodGet, "/healthz", nil, nil); health.status != http.StatusServiceUnavailable {
		t.Errorf("health is %d", health.status)
	}
}

// No request of a client makes the sandbox return the status 500 or fail internally.
func FuzzRequest(f *testing.F) {
	s, err := sandbox.Open(f.Context(), sandbox.Options{NoAuth: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	a := &api{Sandbox: s}
	for _, document := range []string{
		`{ opportunities(filters: {field: id, operation: in, values: ["x"]}, first: 3, order: {field: name}) { edges { cursor node { id interests { edges { node { item { id } } } } } } pageInfo { totalRecords } } }`,
		`mutation($v: Decimal = 1.5) { opportunities { addInterest(input: {opportunityId: "T3Bwb3J0dW5pdHk6MQ==", interestDetails: {id: "Q291cnNlOjE=", quantity: 1, unitAmount: $v}}) { errors { message } } } }`,
		`query { node(id: "T3Bwb3J0dW5pdHk6MQ==") { ...F } } fragment F on Opportunity { name attributes { value } ...F }`,
		everything,
	} {
		f.Add(document, `{"v": "1"}`)
	}
	f.Add(`query($f: [OpportunityFieldGraphFilter]) { opportunities(filters: $f) { edges { node { id } } } }`, `{"f": [{"field": "name", "operation": "wordlike", "value": "\\%_"}]}`)
	f.Fuzz(func(t *testing.T, document, variables string) {
		if len(document) > 2000 {
			return
		}
		body := `{"query": ` + quoteJSON(document) + `, "variables": ` + variables + `}`
		answer := a.send(t, http.MethodPost, "/graphql", strings.NewReader(body), http.Header{"Content-Type": {"application/json"}})
		if answer.status >= 500 || strings.Contains(answer.raw, "internal error") {
			t.Fatalf("%d: %s\n%s\n%s", answer.status, answer.raw, document, variables)
		}
	})
}
