package administrate

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/oppflow/oppflow/administrate/transport"
)

// If the rate limit bucket delays a request beyond its send deadline, the client does not send the
// request and returns the reason Throttled.
func TestPaceOfARequest(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(successBody)) }))
	defer server.Close()
	c := client(t, server.URL, func(o *Options) { o.Pace = transport.NewPace(1e-6) })
	ctx := transport.WithSendDeadline(t.Context(), time.Now().Add(time.Minute))
	if err := addInterest(ctx, c); err != nil {
		t.Fatal(err)
	}
	if got := outcomeOf(t, addInterest(ctx, c)); got != "not sent: throttled" {
		t.Error(got)
	}
}
