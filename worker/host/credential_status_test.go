package host

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
)

// If the TMS refuses the credentials of a worker, the worker is not ready and logs the refusal
// once.
func TestAWorkerKnowsWhetherItsCredentialsAreTaken(t *testing.T) {
	var status atomic.Int32
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(int(status.Load()))
		_, _ = w.Write([]byte(`{"data":{"hello":"x"}}`))
	}))
	defer api.Close()
	var log bytes.Buffer
	a := &credentialStatus{logger: slog.New(slog.NewTextHandler(&log, nil))}
	c, err := administrate.New(administrate.Options{Options: transport.Options{URL: api.URL, Tokens: oauth.StaticToken("t"), OnResult: a.recordResult}})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		status int
		ready  bool
		lines  int
	}{
		{http.StatusOK, true, 0},
		{http.StatusUnauthorized, false, 1},
		{http.StatusUnauthorized, false, 1},
		{http.StatusInternalServerError, false, 1}, // the error does not concern the credentials
		{http.StatusOK, true, 2},
	} {
		status.Store(int32(step.status)) //nolint:gosec // three digits
		_ = c.Hello(t.Context())
		err := a.check()
		if (err == nil) != step.ready || err != nil && !strings.Contains(err.Error(), "rejects the worker's credentials") {
			t.Errorf("after %d: %v", step.status, err)
		}
		if got := strings.Count(log.String(), "\n"); got != step.lines {
			t.Errorf("after %d the log has %d lines, want %d:\n%s", step.status, got, step.lines, log.String())
		}
	}
}
