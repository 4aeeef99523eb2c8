package stack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/worker/host"
)

// The real parts, built from this checkout, accept the arguments that the stack passes, and can be
// used when the parts report that they are ready. After a kill and a new start, each part has its
// old address. The parts stop cleanly.
func TestRealParts(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute) // a first build takes minutes
	defer cancel()
	began := time.Now()
	s, err := stack.Up(ctx, stack.Options{
		Data: t.TempDir(), Setup: host.SetupAt, Progress: func(line string) { t.Log(line) }, Output: t.Output(),
		DynamicConfig: map[string]any{"limit.historyCount.suggestContinueAsNew": 500},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("up after %v", time.Since(began))
	t.Cleanup(func() {
		for _, part := range s.Parts() {
			part.Kill()
		}
	})
	check := func() {
		t.Helper()
		c, err := client.Dial(client.Options{HostPort: s.TemporalAddress(), Namespace: s.Namespace()})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if missing, err := host.MissingSearchAttributes(ctx, c, s.Namespace()); err != nil || len(missing) > 0 {
			t.Errorf("search attributes %q are missing, %v", missing, err)
		}
		if status, _ := request(t, http.MethodGet, s.UIURL()+"/", "", ""); status != http.StatusOK {
			t.Errorf("the Web UI answers %d", status)
		}
		const query = `{"query":"{ echo(value: \"there\") }"}`
		status, body := request(t, http.MethodPost, s.APIURL(), s.APIToken(), query)
		var answer struct{ Data struct{ Echo string } }
		if err := json.Unmarshal(body, &answer); err != nil || status != http.StatusOK || !strings.Contains(answer.Data.Echo, "there") {
			t.Errorf("the sandbox answers %d %s, %v", status, body, err)
		}
		if status, _ := request(t, http.MethodPost, s.APIURL(), "wrong", query); status != http.StatusUnauthorized {
			t.Errorf("the sandbox answers %d to a wrong token", status)
		}
	}
	check()
	before := strings.Join(s.Environ(), " ")
	for _, part := range s.Parts() {
		part.Kill()
		began := time.Now()
		if err := part.Start(ctx); err != nil {
			t.Fatal(err)
		}
		t.Logf("the %s is back after %v", part.Name(), time.Since(began))
	}
	if after := strings.Join(s.Environ(), " "); after != before {
		t.Errorf("the parts moved from %s to %s", before, after)
	}
	check()
	began = time.Now()
	if err := s.Down(ctx); err != nil {
		t.Error(err)
	}
	t.Logf("down after %v", time.Since(began))
}

func request(t *testing.T, method, url, token, body string) (int, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var content bytes.Buffer
	if _, err := content.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, content.Bytes()
}
