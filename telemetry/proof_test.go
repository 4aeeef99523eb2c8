package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/telemetry"
	"github.com/oppflow/oppflow/telemetry/telemetrytest"
)

const (
	secretToken = "tok-3f9a77d1c0"
	secretName  = "Melissandre"
)

// add sends a mutation that holds what must never be shown, over a client that is observed.
func add(t *testing.T, on *telemetry.Telemetry, url string) error {
	t.Helper()
	c, err := administrate.New(administrate.Options{URL: url, Tokens: administrate.StaticToken(secretToken), Around: on.Around})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.AddInterest(t.Context(), administrate.AddInterest{
		OpportunityID: "o", ItemID: "i", Kind: administrate.Course, Quantity: 1,
		NewLearners: []administrate.Learner{{FirstName: secretName, LastName: "Green", Email: secretName + "@example.com"}},
	})
	return err
}

// What is known of a request does not change by its being observed, and its span tells what it was but not what was in
// it, whatever became of it.
func TestObservedRequests(t *testing.T) {
	// A port that was free a moment ago may be somebody's by now.
	const refusing = "http://127.0.0.1:1"
	var notSent *administrate.NotSentError
	var unknown *administrate.UnknownError
	for _, test := range []struct {
		name   string
		answer func(w http.ResponseWriter, conn net.Conn) // nil refuses the connection
		known  func(error) bool
		failed bool
	}{
		{"done", func(w http.ResponseWriter, _ net.Conn) {
			_, _ = w.Write([]byte(`{"data":{"m0":{"opportunities":null,"addInterest":{"errors":[],"interests":[{"id":"1"}]}}}}`))
		}, func(err error) bool { return err == nil }, false},
		{"refused connection", nil, func(err error) bool { return errors.As(err, &notSent) }, true},
		{"answer lost", func(http.ResponseWriter, net.Conn) {}, func(err error) bool { return errors.As(err, &unknown) }, true},
		{"an answer that quotes what was sent", func(_ http.ResponseWriter, conn net.Conn) {
			_, _ = conn.Write([]byte(secretName + " " + secretToken + "\r\n\r\n"))
		}, func(err error) bool { return errors.As(err, &unknown) }, true},
		{"too many requests", func(w http.ResponseWriter, _ net.Conn) { w.WriteHeader(http.StatusTooManyRequests) }, func(err error) bool { return errors.As(err, &notSent) }, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			collector := telemetrytest.Start(t)
			otelVariables(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL)
			on := start(t, telemetry.Options{})
			url := refusing
			if test.answer != nil {
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					var all bytes.Buffer
					if _, err := all.ReadFrom(r.Body); err != nil || !strings.Contains(all.String(), secretName) {
						t.Errorf("arrived: %s, %v", all.String(), err)
					}
					var conn net.Conn
					if strings.Contains(test.name, "answer") {
						// Nobody waits for a handler that took its connection over: what it writes must be its own.
						taken, _, err := http.NewResponseController(w).Hijack()
						if err != nil {
							t.Error(err)
							return
						}
						conn = taken
						defer func() { _ = conn.Close() }()
					}
					test.answer(w, conn)
				}))
				defer server.Close()
				url = server.URL
			}
			if err := add(t, on, url); !test.known(err) {
				t.Errorf("got %v", err)
			}
			if err := on.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			// The name shows that the document could be seen; where no connection was made nothing was read of it.
			name := "mutation Apply"
			if test.answer == nil {
				name = "HTTP POST"
			}
			if got := collector.Spans(); len(got) != 1 || got[0].Name != name || got[0].Failed != test.failed {
				t.Errorf("spans %+v, want one %q", got, name)
			}
			for _, secret := range []string{secretName, strings.ToLower(secretName), secretToken, "Bearer", "newLearners", "example.com"} {
				if collector.Contains(secret) {
					t.Errorf("%q was exported", secret)
				}
			}
		})
	}
}

// The tests by which the client of the API proves what was sent, and what was not, hold when every request of theirs is
// observed. They stand inside of the client's package; the change is laid over it for this one run.
func TestProofHoldsWhenObserved(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, "administrate", "courier_test.go")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const made = "o := Options{URL: url, Tokens: StaticToken(secretToken)"
	if bytes.Count(text, []byte(made)) != 1 {
		t.Fatalf("the tests of the client make it otherwise than by %q; follow them here", made)
	}
	dir := t.TempDir()
	lay := func(name, content string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		path: lay("courier_test.go", strings.Replace(string(text), made, made+", Around: observe(t)", 1)),
		filepath.Join(root, "administrate", "observed_test.go"): lay("observed_test.go", `package administrate

import (
	"io"
	"net/http"
	"testing"

	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/telemetry"
)

func observe(t *testing.T) func(http.RoundTripper) http.RoundTripper {
	var s settings.Telemetry
	if err := s.Resolve(); err != nil {
		t.Fatal(err)
	}
	on, err := telemetry.Start(t.Context(), telemetry.Options{Settings: s, Console: io.Discard})
	if err != nil || !on.On() {
		t.Fatal("not observed", err)
	}
	t.Cleanup(func() { _ = on.Shutdown(t.Context()) })
	t.Log("observed")
	return on.Around
}
`),
	}})
	if err != nil {
		t.Fatal(err)
	}
	proofs := []string{
		"TestAnswers", "TestNoConnection", "TestDroppedConnection", "TestKeptConnectionDies", "TestFailedWrites",
		"TestForeignTransport", "TestSlowAnswer", "TestEndedBeforehand", "TestSendByWhileConnecting", "TestCancelledBeforehand",
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-overlay", lay("overlay.json", string(overlay)), "-count=1", "-v", "-timeout=4m",
		"-run", "^("+strings.Join(proofs, "|")+")$", "./administrate")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=console", "OTEL_METRICS_EXPORTER=console", "OTEL_PROPAGATORS=tracecontext,b3")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, proof := range proofs {
		if !bytes.Contains(out, []byte("--- PASS: "+proof+" ")) {
			t.Errorf("%s did not run", proof)
		}
	}
	if !bytes.Contains(out, []byte("observed")) {
		t.Errorf("nothing was observed:\n%s", out)
	}
}
