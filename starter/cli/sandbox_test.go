package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/sandbox/catalogue"
	"github.com/oppflow/oppflow/settings/readyfile"
)

type runningSandbox struct {
	readyfile.Report
	stop func() result
}

func (r runningSandbox) env() []string {
	return []string{"ADMINISTRATE_URL=" + r.URL, "ADMINISTRATE_TOKEN=" + r.Token}
}

func (r runningSandbox) client() []string {
	return []string{
		"ADMINISTRATE_URL=" + r.URL, "ADMINISTRATE_TOKEN_URL=" + r.TokenURL,
		"ADMINISTRATE_CLIENT_ID=" + r.ClientID, "ADMINISTRATE_CLIENT_SECRET=" + r.ClientSecret,
	}
}

func startSandbox(t *testing.T, args ...string) runningSandbox {
	t.Helper()
	ready := filepath.Join(t.TempDir(), "ready.json")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan result, 1)
	go func() {
		ended <- run(ctx, nil, append([]string{"sandbox", "--listen", "127.0.0.1:0", "--ready-file", ready}, args...)...)
	}()
	var box runningSandbox
	stopped := false
	box.stop = func() result {
		cancel()
		stopped = true
		return <-ended
	}
	t.Cleanup(func() {
		if !stopped {
			box.stop()
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; {
		var err error
		if box.Report, err = readyfile.Read(ready); err == nil {
			return box
		}
		select {
		case got := <-ended:
			ended <- got
			t.Fatalf("ended before it was ready: %+v", got)
		case <-time.After(5 * time.Millisecond):
		}
		if !errors.Is(err, fs.ErrNotExist) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func post(t *testing.T, address, authorization string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(`{"query":"{ opportunities { edges { node { name } } } }"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

func postForm(t *testing.T, address string, form url.Values) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

func TestSandboxPrintsItsSettingsAndStops(t *testing.T) {
	box := startSandbox(t)
	if status, _ := post(t, box.URL, ""); status != http.StatusUnauthorized {
		t.Errorf("without a token: status %d", status)
	}
	status, body := post(t, box.URL, "Bearer "+box.Token)
	if status != http.StatusOK || !strings.Contains(body, "Annual first aid refresher") {
		t.Errorf("with the token: status %d, %s", status, body)
	}
	box.stop().wantDone(t, box.URL, "Authorization: Bearer "+box.Token+"\n", "ADMINISTRATE_URL="+box.URL, "ADMINISTRATE_TOKEN="+box.Token, "curl -s "+box.URL)
}

func TestSandboxCurlExampleWorks(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl here")
	}
	for _, args := range [][]string{nil, {"--no-auth"}} {
		// The command prints an example of a request before the sandbox is ready.
		data := filepath.Join(t.TempDir(), "data.db")
		first := startSandbox(t, append(args, "--data", data)...)
		printed := first.stop().stdout
		second := startSandbox(t, append(args, "--data", data)...)
		var example string
		for line := range strings.Lines(printed) {
			if strings.HasPrefix(line, "  curl ") {
				example = strings.ReplaceAll(line, first.URL, second.URL)
			}
		}
		answer, err := exec.CommandContext(t.Context(), "sh", "-c", example).CombinedOutput()
		if err != nil || !bytes.Contains(answer, []byte("Annual first aid refresher")) {
			t.Errorf("%s: %v: %s", example, err, answer)
		}
	}
}

func TestSandboxKeepsItsTokenWithItsData(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data.db")
	first := startSandbox(t, "--data", data)
	first.stop().wantDone(t)
	second := startSandbox(t, "--data", data)
	if second.Token == "" || second.Token != first.Token {
		t.Errorf("token %q, before the restart %q", second.Token, first.Token)
	}
	given := startSandbox(t, "--token", "tk-1")
	if status, _ := post(t, given.URL, "Bearer tk-1"); given.Token != "tk-1" || status != http.StatusOK {
		t.Errorf("token %q, status %d", given.Token, status)
	}
}

func TestSandboxGivesTokensToItsClient(t *testing.T) {
	secretFile := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secretFile, []byte("it's a secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{"random": nil, "given": {"--client-id", "id 1", "--client-secret-file", secretFile}} {
		t.Run(name, func(t *testing.T) {
			box := startSandbox(t, append(args, "--token-life", "90s")...)
			if name == "given" && (box.ClientID != "id 1" || box.ClientSecret != "it's a secret") {
				t.Errorf("%+v", box)
			}
			for _, form := range []url.Values{
				{"grant_type": {"client_credentials"}},
				{"grant_type": {"refresh_token"}, "refresh_token": {box.RefreshToken}},
			} {
				form.Set("client_id", box.ClientID)
				form.Set("client_secret", box.ClientSecret)
				var got struct {
					AccessToken string `json:"access_token"`
					ExpiresIn   int    `json:"expires_in"`
				}
				if status, body := postForm(t, box.TokenURL, form); status != http.StatusOK || json.Unmarshal([]byte(body), &got) != nil || got.ExpiresIn != 90 {
					t.Fatalf("status %d, %s", status, body)
				}
				if status, _ := post(t, box.URL, "Bearer "+got.AccessToken); status != http.StatusOK {
					t.Errorf("with the token: status %d", status)
				}
			}
			if name == "random" {
				oppflow(t, box.client(), "search").wantDone(t, "Annual first aid refresher")
			}
			// A shell can run the lines that the command printed.
			printed := box.stop().stdout
			var exports strings.Builder
			for line := range strings.Lines(printed) {
				if strings.HasPrefix(line, "  export ADMINISTRATE_CLIENT") || strings.HasPrefix(line, "  export ADMINISTRATE_TOKEN_URL") {
					exports.WriteString(line)
				}
			}
			command := exec.CommandContext(t.Context(), "sh", "-c", exports.String()+`printf '%s\n' "$ADMINISTRATE_TOKEN_URL" "$ADMINISTRATE_CLIENT_ID" "$ADMINISTRATE_CLIENT_SECRET"`)
			command.Env = []string{}
			set, err := command.CombinedOutput()
			if want := box.TokenURL + "\n" + box.ClientID + "\n" + box.ClientSecret + "\n"; err != nil || string(set) != want {
				t.Errorf("%v: %q, want %q", err, set, want)
			}
		})
	}
}

func TestSandboxKeepsItsClientWithItsData(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data.db")
	first := startSandbox(t, "--data", data)
	first.stop().wantDone(t)
	second := startSandbox(t, "--data", data)
	if second.ClientID == "" || second.ClientID != first.ClientID || second.ClientSecret == "" || second.ClientSecret != first.ClientSecret ||
		second.RefreshToken == "" || second.RefreshToken != first.RefreshToken {
		t.Errorf("%+v, before %+v", second, first)
	}
}

func TestSandboxClientMistakes(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ args, want []string }{
		{[]string{"--client-secret-file", "/does/not/exist"}, []string{"--client-secret-file /does/not/exist", "no such file"}},
		{[]string{"--client-secret-file", empty}, []string{"--client-secret-file", "is empty"}},
		{[]string{"--token-life", "10ms"}, []string{"--token-life 10ms", "at least 1s"}},
		{[]string{"--token-life", "-1h"}, []string{"--token-life", "greater than 0"}},
		{[]string{"--no-auth", "--client-id", "x"}, []string{"--client-id and --no-auth"}},
		{[]string{"--no-auth", "--client-secret-file", empty}, []string{"--client-secret-file and --no-auth"}},
		{[]string{"--no-auth", "--token-life", "1h"}, []string{"--token-life and --no-auth"}},
	} {
		oppflow(t, nil, append([]string{"sandbox", "--listen", "127.0.0.1:0"}, test.args...)...).wantUsageError(t, 2, test.want...)
	}
}

func TestSandboxWithoutAuthenticationTakesEveryone(t *testing.T) {
	box := startSandbox(t, "--no-auth")
	if status, _ := post(t, box.URL, ""); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	got := box.stop()
	got.wantDone(t, "no token is needed")
	if strings.Contains(got.stdout, "Authorization") || strings.Contains(got.stdout, "ADMINISTRATE_CLIENT_ID") {
		t.Errorf("prints a header that is not needed: %s", got.stdout)
	}
}

// manyOpportunities returns the default catalogue with n opportunities of region UK.
func manyOpportunities(t *testing.T, n int) string {
	t.Helper()
	content, err := os.ReadFile("../../sandbox/catalogue/default.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, _, found := strings.Cut(string(content), "\nopportunities:\n")
	if !found {
		t.Fatal("the default catalogue has no opportunities")
	}
	var b strings.Builder
	b.WriteString(text + "\nopportunities:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - { id: %d, name: Opportunity %d, region: UK, currency: GBP, step: 3 }\n", i+1, i+1)
	}
	path := filepath.Join(t.TempDir(), "catalogue.yaml")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := catalogue.Load(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSearchReadsAsManyAsAreAskedFor(t *testing.T) {
	box := startSandbox(t, "--catalogue", manyOpportunities(t, 120))
	for limit, want := range map[string]int{"": 50, "1": 1, "100": 100, "110": 110, "120": 120, "500": 120} {
		args := []string{"search", "--filter", "regionName=UK", "--output", "json"}
		if limit != "" {
			args = append(args, "--limit", limit)
		}
		got := oppflow(t, box.env(), args...)
		got.wantDone(t)
		var answer struct {
			Count         int
			Opportunities []struct{ ID, Name, Step, State, GrandTotal string }
		}
		if err := json.Unmarshal([]byte(got.stdout), &answer); err != nil {
			t.Fatalf("%v: %s", err, got.stdout)
		}
		ids := map[string]bool{}
		for _, o := range answer.Opportunities {
			ids[o.ID] = true
			if o.Step != "Proposed" || o.State != "Open" || o.GrandTotal != "0.00" {
				t.Fatalf("%+v", o)
			}
		}
		if answer.Count != 120 || len(answer.Opportunities) != want || len(ids) != want {
			t.Errorf("limit %q: %d of %d, %d different, want %d of 120", limit, len(answer.Opportunities), answer.Count, len(ids), want)
		}
	}
	oppflow(t, box.env(), "search", "--limit", "2").wantDone(t, "NAME", "Opportunity 1 ", "Opportunity 2 ", "2 of 120 opportunities are shown; set --limit to show more")
}

func TestSearchFindsWhatFitsAllConditions(t *testing.T) {
	box := startSandbox(t)
	refresher := "Annual first aid refresher"
	for _, test := range []struct {
		filters []string
		found   bool
	}{
		{nil, true},
		{[]string{"regionName=UK"}, true},
		{[]string{"regionName=Dominican Republic"}, false},
		{[]string{"regionName:in:UK,Ireland"}, true},
		{[]string{"regionName:notin:UK,Ireland"}, false},
		{[]string{"regionName=UK", "regionName:ne:UK"}, false},
		{[]string{"id=T3Bwb3J0dW5pdHk6MQ==", "regionName:notnull"}, true},
	} {
		args := []string{"search"}
		for _, f := range test.filters {
			args = append(args, "--filter", f)
		}
		got := oppflow(t, box.env(), args...)
		got.wantDone(t)
		if strings.Contains(got.stdout, refresher) != test.found {
			t.Errorf("%v: %s", test.filters, got.stdout)
		}
	}
}

func TestSearchExplainsRejectedConditions(t *testing.T) {
	box := startSandbox(t)
	oppflow(t, box.env(), "search", "--filter", "regionNme=UK").wantUsageError(t, 1, "regionNme")
	oppflow(t, []string{"ADMINISTRATE_URL=" + box.URL, "ADMINISTRATE_TOKEN=wrong"}, "search").
		wantUsageError(t, 1, box.URL, "rejects the token", "ADMINISTRATE_TOKEN")
}

func TestSandboxFlagsTakeEffect(t *testing.T) {
	faults := filepath.Join(t.TempDir(), "faults.json")
	if err := os.WriteFile(faults, []byte(`[{"kind": "error-before", "operation": "opportunities", "times": 1}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	box := startSandbox(t, "--rate", "3/1h", "--retry-after", "--faults", faults)
	for i, want := range []int{500, 200, 200, 429} {
		if status, body := post(t, box.URL, "Bearer "+box.Token); status != want {
			t.Errorf("request %d: %d %s", i+1, status, body)
		}
	}
	box.stop()

	if err := os.WriteFile(faults, []byte(`[{"kind": "slow"}, {"kind": "sad"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	got := run(t.Context(), nil, "sandbox", "--faults", faults)
	if got.code != 2 || strings.Count(got.stderr, "\n") != 1 || !strings.Contains(got.stderr, "entry 2") || !strings.Contains(got.stderr, `"sad"`) {
		t.Errorf("%+v", got)
	}

	table := run(t.Context(), nil, "sandbox", "--assumptions")
	if table.code != 0 || !strings.Contains(table.stdout, "addInterest.response\n  * new") || !strings.Contains(table.stdout, "query.regions\n  * regions") || !strings.Contains(table.stdout, "    NAME ") || !strings.Contains(table.stdout, "--assume ") {
		t.Errorf("%+v", table)
	}
}
