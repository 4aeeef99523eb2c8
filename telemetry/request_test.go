package telemetry_test

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/telemetry"
	"github.com/oppflow/oppflow/telemetry/telemetrytest"
)

const (
	secretToken = "tok-3f9a77d1c0"
	secretName  = "Melissandre"
)

// add sends a mutation with values that no span may contain, through a client whose transport
// records spans.
func add(t *testing.T, on *telemetry.Telemetry, url string) error {
	t.Helper()
	c, err := administrate.New(administrate.Options{Options: transport.Options{URL: url, Tokens: oauth.StaticToken(secretToken), WrapTransport: on.WrapTransport}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.AddInterest(t.Context(), administrate.AddInterest{
		OpportunityID: "o", ItemID: "i", Kind: administrate.Course, Quantity: 1,
		NewLearners: []administrate.Learner{{FirstName: secretName, LastName: "Green", Email: secretName + "@example.com"}},
	})
	return err
}

// A request has the same result whether spans are recorded or not. For every result, the span
// contains the kind and the name of the GraphQL operation, but not the content of the request.
func TestObservedRequests(t *testing.T) {
	// The test uses port 1, because another program may use a port that was free before.
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
						// The HTTP server does not wait for a handler that has hijacked its connection, so the
						// handler must write only to its own variables.
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
			// Without a connection, the transport does not read the GraphQL document, so the span does not
			// have the name of the operation.
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
