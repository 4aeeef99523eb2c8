package oauth_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oppflow/oppflow/administrate/oauth"
)

// TestRefusedTokens: if the API returns 401 to many requests with the same token, the Endpoint
// renews the token only once.
func TestRefusedTokens(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	o, _, _ := source(t, e.URL, nil)
	var good atomic.Value
	good.Store("none")
	var arrived, calls atomic.Int32
	release := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if arrived.Add(1) == concurrentCallers {
			close(release)
		}
		<-release // the server waits until all requests have arrived, so all requests have the same token
		if r.Header.Get("Authorization") != "Bearer "+good.Load().(string) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{"data":{"hello":"hello"}}`)
	}))
	defer api.Close()
	c := client(t, api.URL, o)
	var begun atomic.Int32
	together(func(int) {
		if got := outcomeOf(t, c.Hello(t.Context())); got != "not sent: authentication" {
			t.Errorf("refused: %s", got)
		}
	}, &begun).Wait()
	if calls.Load() != concurrentCallers {
		t.Errorf("%d calls arrived, want each once: %d", calls.Load(), concurrentCallers)
	}
	wantRequests(t, e, 1)

	good.Store("hour-2")
	together(func(int) {
		if err := c.Hello(t.Context()); err != nil {
			t.Errorf("with a new token: %v", err)
		}
	}, &begun).Wait()
	wantRequests(t, e, 2)

	o.Invalidate("hour-1") // a call that was slow reports an old token
	o.Invalidate("")
	wantToken(t, o, "hour-2")
	wantRequests(t, e, 2)
}

// TestRefusedWhileRenewing: if the API refuses a token during the renewal of this token, the
// Endpoint does not renew the token a second time.
func TestRefusedWhileRenewing(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	o, c, _ := source(t, e.URL, nil)
	wantToken(t, o, "hour-1")
	release := e.blockResponses()
	c.advance(time.Hour - time.Second)
	wantToken(t, o, "hour-1")
	eventually(t, "the renewal has begun", func() bool { return e.asked.Load() == 2 })
	o.Invalidate("hour-1")
	release()
	wantToken(t, o, "hour-2")
	wantRequests(t, e, 2)
}

// TestAPIThatTakesNoToken: if the API refuses every token, back-offs limit the number of token
// requests.
func TestAPIThatTakesNoToken(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	o, c, reported := source(t, e.URL, nil)
	for range 100 {
		if got, err := o.Token(t.Context()); err == nil {
			o.Invalidate(got)
		}
	}
	wantRequests(t, e, 2) // the first token request, and a second token request without a back-off
	_, err := o.Token(t.Context())
	var why *oauth.TokenError
	if !errors.As(err, &why) || why.Reason != oauth.Authentication || !strings.Contains(err.Error(), "rejects every new token") || len(reported()) != 1 {
		t.Errorf("%v, reported %v", err, reported())
	}
	before := e.asked.Load()
	for range 3600 { // seconds
		c.advance(time.Second)
		if got, err := o.Token(t.Context()); err == nil {
			o.Invalidate(got)
		}
	}
	if n := e.asked.Load() - before; n < 50 || n > 70 {
		t.Errorf("asked %d times within an hour, want about once a minute", n)
	}
	// After the API has accepted a token, the Endpoint replaces the next refused token without a
	// back-off.
	c.advance(2 * time.Minute)
	first, err := o.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.advance(2 * time.Minute)
	o.Invalidate(first)
	if second, err := o.Token(t.Context()); err != nil || second == first {
		t.Errorf("%q after %q, %v", second, first, err)
	}
}

// If the API accepts each token for a while and then refuses the token, no renewal waits for a
// back-off.
func TestTokensThatWorkForAWhile(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	o, c, reported := source(t, e.URL, nil)
	for n := range 20 {
		got, err := o.Token(t.Context())
		if err != nil {
			t.Fatalf("token %d: %v, reported %v", n, err, reported())
		}
		o.Accepted(got)
		c.advance(30 * time.Second)
		o.Invalidate(got)
	}
}

// TestSameTokenAgain: if a renewal returns the token that the API has refused, the Endpoint does
// not use the token and starts a back-off.
func TestSameTokenAgain(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	e.respondWith(grantFor("same", 3600))
	o, c, _ := source(t, e.URL, nil)
	wantToken(t, o, "same")
	o.Invalidate("same")
	for range 10 {
		if got, err := o.Token(t.Context()); err == nil || !strings.Contains(err.Error(), "returned the same token again") {
			t.Errorf("got %q, %v", got, err)
		}
	}
	wantRequests(t, e, 2)
	e.respondWith(grantFor("other", 3600))
	c.advance(2 * time.Second)
	wantToken(t, o, "other")
}

// TestBackOffs: after each further failure, the back-off is longer. The Endpoint limits the
// back-off that the token endpoint requests with Retry-After.
func TestBackOffs(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	e.respondWith(func(w http.ResponseWriter, n int32) {
		if n == 9 {
			w.Header().Set("Retry-After", "120")
		}
		w.WriteHeader(http.StatusTooManyRequests)
	})
	o, c, _ := source(t, e.URL, nil)
	var pauses []time.Duration
	asked := e.asked.Load()
	var since time.Duration
	for range 700 {
		_, err := o.Token(t.Context())
		if err == nil {
			t.Fatal("a token")
		}
		if n := e.asked.Load(); n != asked {
			asked, pauses, since = n, append(pauses, since), 0
		}
		c.advance(500 * time.Millisecond)
		since += 500 * time.Millisecond
	}
	want := []float64{0, 1, 2, 4, 8, 16, 32, 60, 60, 120}
	for i, pause := range want {
		if i >= len(pauses) || math.Abs(pauses[i].Seconds()-pause) > 0.5 {
			t.Fatalf("pauses %v, want %v seconds", pauses, want)
		}
	}
	e.respondWith(nil)
	c.advance(time.Hour)
	if _, err := o.Token(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestTokenWithoutAnEnd: the Endpoint uses a token without an expiry until the API refuses the
// token.
func TestTokenWithoutAnEnd(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	e.respondWith(func(w http.ResponseWriter, n int32) { _, _ = fmt.Fprintf(w, `{"access_token":"t-%d"}`, n) })
	o, c, _ := source(t, e.URL, nil)
	wantToken(t, o, "t-1")
	c.advance(10_000 * time.Hour)
	wantToken(t, o, "t-1")
	o.Invalidate("t-1")
	wantToken(t, o, "t-2")
}

// TestDelayShortensNoLife: a token's life begins when the token request is sent, and not when the
// response arrives.
func TestDelayShortensNoLife(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	o, c, _ := source(t, e.URL, nil)
	e.respondWith(func(w http.ResponseWriter, n int32) {
		if n == 1 {
			c.advance(50 * time.Minute)
		}
		grantFor("t-%d", 3600)(w, n)
	})
	wantToken(t, o, "t-1")
	c.advance(10 * time.Minute)
	wantToken(t, o, "t-2")
}
