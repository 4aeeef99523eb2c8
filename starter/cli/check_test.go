package cli_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/oppflow/oppflow/sandbox"
)

// recordingSandbox is a sandbox that records its requests.
type recordingSandbox struct {
	mu        sync.Mutex
	requests  []string
	change    func(answer string) string
	forbidden string // a text that requests must not contain
	options   sandbox.Options
}

func (s *recordingSandbox) serve(t *testing.T) []string {
	t.Helper()
	s.options.Token, s.options.Logger = "tk-31415", slog.New(slog.DiscardHandler)
	box, err := sandbox.Open(t.Context(), s.options)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		s.mu.Lock()
		s.requests = append(s.requests, string(body))
		s.mu.Unlock()
		if s.forbidden != "" && strings.Contains(string(body), s.forbidden) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"errors":[{"message":"nobody knows that"}]}`)
			return
		}
		kept := httptest.NewRecorder()
		box.Handler().ServeHTTP(kept, r)
		answer := kept.Body.String()
		if s.change != nil {
			answer = s.change(answer)
		}
		w.WriteHeader(kept.Code)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(func() {
		server.Close()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	return []string{"ADMINISTRATE_URL=" + server.URL + "/graphql", "ADMINISTRATE_TOKEN=tk-31415"}
}

func rename(t *testing.T, from, to string) func(string) string {
	return func(answer string) string {
		changed := strings.ReplaceAll(answer, from, to)
		if changed == answer {
			t.Errorf("there is no %s in the response", from)
		}
		return changed
	}
}

func TestCheckOfACompleteTenantSaysSo(t *testing.T) {
	box := &recordingSandbox{}
	env := box.serve(t)
	oppflow(t, env, "check").wantDone(t, "supports everything that Oppflow sends", "operations were compared")
	got := oppflow(t, env, "check", "--output", "json")
	got.wantDone(t)
	var read map[string]any
	if err := json.Unmarshal([]byte(got.stdout), &read); err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{"missing", "assumptions"} {
		if found, ok := read[list].([]any); !ok || len(found) != 0 {
			t.Errorf("%s: %v", list, read[list])
		}
	}
	if len(box.requests) != 2 {
		t.Errorf("two checks took %d requests", len(box.requests))
	}
}

func TestCheckWritesNothing(t *testing.T) {
	box := &recordingSandbox{}
	env := box.serve(t)
	before := oppflow(t, env, "search", "--output", "json")
	before.wantDone(t, "Annual first aid refresher")
	oppflow(t, env, "check").wantDone(t)
	after := oppflow(t, env, "search", "--output", "json")
	if after.stdout != before.stdout {
		t.Errorf("before %s, after %s", before.stdout, after.stdout)
	}
	for _, request := range box.requests {
		var sent struct{ Query string }
		if err := json.Unmarshal([]byte(request), &sent); err != nil || !strings.HasPrefix(strings.TrimSpace(sent.Query), "query ") || strings.Contains(sent.Query, "mutation ") {
			t.Errorf("sent %s: %v", request, err)
		}
	}
}

func TestCheckReportsMissingParts(t *testing.T) {
	box := &recordingSandbox{change: rename(t, `"name":"isReservationValid"`, `"name":"holdsPlaces"`)}
	got := oppflow(t, box.serve(t), "check")
	got.wantFailure(t, "does not support everything that Oppflow sends: 1 part is missing")
	for _, want := range []string{"The API lacks these parts, which are documented or were observed", `"isReservationValid" on type "Opportunity"`, "operations that fail: ", "read an opportunity", "more"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("%q is not shown:\n%s", want, got.stdout)
		}
	}
	if strings.Contains(got.stdout, "Assumptions") {
		t.Errorf("assumptions are shown although they hold:\n%s", got.stdout)
	}
}

func TestCheckReportsFailedAssumptions(t *testing.T) {
	box := &recordingSandbox{change: rename(t, `"name":"regions"`, `"name":"areas"`)}
	env := box.serve(t)
	got := oppflow(t, env, "check")
	got.wantFailure(t, "1 assumption does not hold")
	for _, want := range []string{
		`Regions is the root field that lists regions`, `Cannot query field "regions" on type "Query"`,
		"cost: the client cannot look up regions by name, so callers must give the id of a region.", "administrate/assumed.go:", "(Regions)", "look up regions",
	} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("%q is not shown:\n%s", want, got.stdout)
		}
	}
	if strings.Contains(got.stdout, "Missing") {
		t.Errorf("check reports a documented part as missing:\n%s", got.stdout)
	}

	got = oppflow(t, env, "check", "-o", "json")
	got.wantFailure(t)
	var read struct {
		Missing     []any
		Assumptions []struct {
			Entry, Name, Cost, Line string
			Missing                 []struct {
				Problem    string
				Operations []string
			}
		}
	}
	if err := json.Unmarshal([]byte(got.stdout), &read); err != nil {
		t.Fatalf("%v: %s", err, got.stdout)
	}
	if len(read.Missing) != 0 || len(read.Assumptions) != 1 || read.Assumptions[0].Entry != "Regions" || read.Assumptions[0].Name != "regions" ||
		len(read.Assumptions[0].Missing) != 1 || len(read.Assumptions[0].Missing[0].Operations) != 2 {
		t.Errorf("%+v", read)
	}
}

func TestCheckReportsMissingSideEffectParts(t *testing.T) {
	box := &recordingSandbox{change: rename(t, `"name":"invoices"`, `"name":"bills"`)}
	env := box.serve(t)
	oppflow(t, env, "check").wantDone(t,
		"supports everything that Oppflow sends", "The API lacks these parts, which only side effects of transitions", `"invoices" on type "Mutation"`, "finalise an invoice")
	got := oppflow(t, env, "check", "-o", "json")
	got.wantDone(t)
	var read struct {
		Missing, Assumptions []any
		SideEffects          struct {
			Operations int
			Missing    []struct {
				Problem    string
				Operations []string
			}
			Assumptions []any
		}
	}
	if err := json.Unmarshal([]byte(got.stdout), &read); err != nil {
		t.Fatal(err)
	}
	if len(read.Missing)+len(read.Assumptions)+len(read.SideEffects.Assumptions) != 0 || len(read.SideEffects.Missing) != 1 ||
		len(read.SideEffects.Missing[0].Operations) != 4 || read.SideEffects.Operations == 0 {
		t.Errorf("%+v", read)
	}

	box = &recordingSandbox{change: rename(t, `"name":"ownerId"`, `"name":"userId"`)}
	oppflow(t, box.serve(t), "check").wantDone(t,
		"assumptions about side effects of transitions", "cost: owners cannot be changed.", "(UpdateOwner)")
}

// wantFailure expects exit code 1, and on standard error one line that contains all texts of want.
// Standard output may contain anything.
func (r result) wantFailure(t *testing.T, want ...string) {
	t.Helper()
	if r.stdout == "" {
		t.Error("standard output is empty")
	}
	r.stdout = ""
	r.wantUsageError(t, 1, want...)
}

func TestCheckFailureIsOneLine(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		want   []string
	}{
		"switched off":   {200, `{"errors":[{"message":"GraphQL introspection\nis not allowed"}]}`, []string{"does not show its schema", "is not allowed", "introspection, which this API does not allow"}},
		"said nothing":   {200, `{"data":{"__schema":null}}`, []string{"does not show its schema; oppflow check needs introspection"}},
		"wrong token":    {401, ``, []string{"rejects the token", "ADMINISTRATE_TOKEN"}},
		"something else": {404, `<html>`, []string{"404"}},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}))
			defer server.Close()
			got := oppflow(t, []string{"ADMINISTRATE_URL=" + server.URL, "ADMINISTRATE_TOKEN=tk-31415"}, "check")
			got.wantUsageError(t, 1, test.want...)
			if strings.Contains(got.stderr, "tk-31415") {
				t.Errorf("the output contains the token: %s", got.stderr)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	run(ctx, []string{"ADMINISTRATE_URL=http://127.0.0.1:1/", "ADMINISTRATE_TOKEN=t"}, "check").wantUsageError(t, 1, "interrupted")
}

func TestCheckAndSearchAskForTokensByOAuth(t *testing.T) {
	box := startSandbox(t)
	oppflow(t, box.client(), "check").wantDone(t, "supports everything that Oppflow sends")
	oppflow(t, box.client(), "search").wantDone(t, "Annual first aid refresher")
	for _, command := range []string{"check", "search"} {
		got := oppflow(t, append(box.client(), "ADMINISTRATE_CLIENT_SECRET=sc-27182"), command)
		got.wantUsageError(t, 1, "no access token")
		if strings.Contains(got.stderr, "sc-27182") {
			t.Errorf("the output contains the secret: %s", got.stderr)
		}
	}
	// If the refresh token is in a variable, the command cannot store the new refresh token that the
	// token endpoint issues, and the new refresh token is lost. The command writes a warning about the
	// lost refresh token and succeeds.
	got := oppflow(t, append(box.client(), "ADMINISTRATE_REFRESH_TOKEN="+box.RefreshToken), "search")
	if got.code != 0 || !strings.Contains(got.stdout, "Annual first aid refresher") || strings.Count(got.stderr, "\n") != 1 || !strings.Contains(got.stderr, "ADMINISTRATE_REFRESH_TOKEN_FILE") {
		t.Errorf("exit code %d, %s%s", got.code, got.stdout, got.stderr)
	}
}
