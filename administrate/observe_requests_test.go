package administrate

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/telemetry"
)

// If observe is not nil, observe wraps the transport of every client that [client] returns. Only
// TestProofHoldsWhenObserved sets observe. Parallel tests run after this test, when observe is nil
// again.
var observe func(*testing.T) func(http.RoundTripper) http.RoundTripper

func TestProofHoldsWhenObserved(t *testing.T) {
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "OTEL_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("OTEL_TRACES_EXPORTER", "console")
	t.Setenv("OTEL_METRICS_EXPORTER", "console")
	t.Setenv("OTEL_PROPAGATORS", "tracecontext,b3")
	var s settings.Telemetry
	if err := s.Resolve(); err != nil {
		t.Fatal(err)
	}
	made := 0
	observe = func(t *testing.T) func(http.RoundTripper) http.RoundTripper {
		on, err := telemetry.Start(t.Context(), telemetry.Options{Settings: s, Console: io.Discard})
		if err != nil || !on.On() {
			t.Fatal("not observed", err)
		}
		t.Cleanup(func() { _ = on.Shutdown(t.Context()) })
		made++
		return on.WrapTransport
	}
	defer func() { observe = nil }()
	for _, proof := range []struct {
		name string
		test func(*testing.T)
	}{
		{"Answers", TestAnswers},
		{"NoConnection", TestNoConnection},
		{"DroppedConnection", TestDroppedConnection},
		{"KeptConnectionDies", TestKeptConnectionDies},
		{"FailedWrites", TestFailedWrites},
		{"ForeignTransport", TestForeignTransport},
		{"SlowAnswer", TestSlowAnswer},
		{"EndedBeforehand", TestEndedBeforehand},
		{"SendDeadlineWhileConnecting", TestSendDeadlineWhileConnecting},
		{"CancelledBeforehand", TestCancelledBeforehand},
	} {
		made = 0
		t.Run(proof.name, proof.test)
		if made == 0 {
			t.Errorf("nothing of %s was observed", proof.name)
		}
	}
}
