package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
)

const (
	secretClient  = "cs-58d1f0aa27"
	secretRefresh = "rt-91c7e4b620"
	secretToken   = "tok-3f9a77d1c0"
)

// endpoint is a token endpoint for tests that returns numbered tokens.
type endpoint struct {
	*httptest.Server
	asked atomic.Int32

	mu     sync.Mutex
	forms  []url.Values
	answer func(w http.ResponseWriter, n int32) // nil for a token that is valid for an hour
	hold   chan struct{}                        // if not nil, the endpoint responds only after hold is closed
}

func newEndpoint(t *testing.T) *endpoint {
	t.Helper()
	e := &endpoint{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := e.asked.Add(1)
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		if r.Method != http.MethodPost || r.URL.RawQuery != "" || r.Header.Get("Authorization") != "" ||
			r.PostForm.Get("client_id") != "id" || r.PostForm.Get("client_secret") != secretClient {
			t.Errorf("asked by %s %s with %v and %v", r.Method, r.URL, r.Header, r.PostForm)
		}
		e.mu.Lock()
		e.forms = append(e.forms, r.PostForm)
		answer, hold := e.answer, e.hold
		e.mu.Unlock()
		if hold != nil {
			select {
			case <-hold:
			case <-r.Context().Done():
				return
			}
		}
		w.Header().Set("Content-Type", "application/json")
		if answer == nil {
			answer = grantFor("hour-%d", 3600)
		}
		answer(w, n)
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) respondWith(answer func(w http.ResponseWriter, n int32)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = answer
}

func (e *endpoint) blockResponses() (release func()) {
	hold := make(chan struct{})
	e.mu.Lock()
	e.hold = hold
	e.mu.Unlock()
	return sync.OnceFunc(func() { close(hold) })
}

func grantFor(form string, seconds int) func(http.ResponseWriter, int32) {
	return func(w http.ResponseWriter, n int32) {
		if strings.Contains(form, "%d") {
			form := form
			_, _ = fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":%d}`, fmt.Sprintf(form, n), seconds)
			return
		}
		_, _ = fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":%d}`, form, seconds)
	}
}

type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// source returns an Endpoint, the clock of the Endpoint, and a function that returns the errors
// that the Endpoint passed to OnFailure.
func source(t *testing.T, tokenURL string, change func(*oauth.Options)) (*oauth.Endpoint, *clock, func() []error) {
	t.Helper()
	var mu sync.Mutex
	var reported []error
	c := &clock{}
	options := oauth.Options{
		TokenURL: tokenURL, ClientID: "id", ClientSecret: secretClient, Now: c.now,
		OnFailure: func(err error) {
			mu.Lock()
			defer mu.Unlock()
			reported = append(reported, err)
		},
	}
	if change != nil {
		change(&options)
	}
	o, err := oauth.NewEndpoint(options)
	if err != nil {
		t.Fatal(err)
	}
	return o, c, func() []error {
		mu.Lock()
		defer mu.Unlock()
		return append([]error(nil), reported...)
	}
}

func client(t *testing.T, url string, tokens oauth.TokenSource) *administrate.Client {
	t.Helper()
	c, err := administrate.New(administrate.Options{Options: transport.Options{URL: url, Tokens: tokens, Burst: 1000}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func outcomeOf(t *testing.T, err error) string {
	t.Helper()
	var notSent *administrate.NotSentError
	if !errors.As(err, &notSent) {
		t.Errorf("%v is no NotSentError", err)
		return "?"
	}
	return "not sent: " + string(notSent.Reason)
}

func wantToken(t *testing.T, o *oauth.Endpoint, want string) {
	t.Helper()
	if got, err := o.Token(t.Context()); err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func wantRequests(t *testing.T, e *endpoint, want int32) {
	t.Helper()
	if got := e.asked.Load(); got != want {
		t.Errorf("the endpoint was asked %d times, want %d", got, want)
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

const concurrentCallers = 50

// together calls f from many goroutines at the same time.
func together(f func(i int), begun *atomic.Int32) *sync.WaitGroup {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range concurrentCallers {
		all.Go(func() {
			<-start
			begun.Add(1)
			f(i)
		})
	}
	close(start)
	return &all
}

// TestOneRenewalForAll: if there is no valid token, any number of concurrent callers cause only one
// token request.
func TestOneRenewalForAll(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	o, c, _ := source(t, e.URL, nil)
	for round := range int32(3) {
		release := e.blockResponses()
		var begun atomic.Int32
		all := together(func(int) { wantToken(t, o, fmt.Sprintf("hour-%d", round+1)) }, &begun)
		eventually(t, "all have begun", func() bool { return begun.Load() == concurrentCallers && e.asked.Load() > round })
		release()
		all.Wait()
		wantRequests(t, e, round+1)
		wantToken(t, o, fmt.Sprintf("hour-%d", round+1))
		// Renew starts after the shared renewal has ended, and must return the new token without a
		// second request.
		if got, err := o.Renew(t.Context()); err != nil || got != fmt.Sprintf("hour-%d", round+1) {
			t.Errorf("late: %q, %v", got, err)
		}
		wantRequests(t, e, round+1)
		c.advance(time.Hour)
	}
}

// TestRenewedBeforeItExpires: before the old token expires, no caller waits for the new token, and
// Token never returns the error of a failed renewal. Administrate's own clients renew tokens early
// (observed, API notes 1.1).
func TestRenewedBeforeItExpires(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		life           int
		before, within time.Duration // the age of a token at which the Endpoint does not renew the token, and the age at which it does
	}{
		{3600, time.Hour - 61*time.Second, time.Hour - 59*time.Second},
		{100, 89 * time.Second, 91 * time.Second},
	} {
		e := newEndpoint(t)
		e.respondWith(grantFor("t-%d", test.life))
		o, c, _ := source(t, e.URL, nil)
		wantToken(t, o, "t-1")
		c.advance(test.before)
		wantToken(t, o, "t-1")
		wantRequests(t, e, 1)

		release := e.blockResponses()
		c.advance(test.within - test.before)
		for range 10 {
			wantToken(t, o, "t-1")
		}
		eventually(t, "the renewal has begun", func() bool { return e.asked.Load() == 2 })
		release()
		eventually(t, "the new token is used", func() bool {
			got, err := o.Token(t.Context())
			return err == nil && got == "t-2"
		})
		wantRequests(t, e, 2)
	}
}

func TestOldTokenServesWhileRenewalFails(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	o, c, reported := source(t, e.URL, nil)
	wantToken(t, o, "hour-1")
	e.respondWith(func(w http.ResponseWriter, _ int32) { w.WriteHeader(http.StatusServiceUnavailable) })
	c.advance(time.Hour - 30*time.Second)
	wantToken(t, o, "hour-1")
	eventually(t, "the failure is reported", func() bool { return len(reported()) == 1 })
	for range 10 {
		wantToken(t, o, "hour-1")
		o.WaitForRenewals()
	}
	wantRequests(t, e, 2)
	e.respondWith(nil)
	c.advance(10 * time.Second)
	eventually(t, "it is tried again", func() bool {
		got, err := o.Token(t.Context())
		return err == nil && got == "hour-3"
	})
}

// TestGivingUpIsOnesOwn: if a caller's context ends, Token returns the context's error, even to the
// caller that started the token request.
func TestGivingUpIsOnesOwn(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	release := e.blockResponses()
	o, _, _ := source(t, e.URL, nil)
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, err := o.Token(ctx)
		first <- err
	}()
	eventually(t, "the request has been made", func() bool { return e.asked.Load() == 1 })
	second := make(chan error, 1)
	go func() {
		got, err := o.Token(t.Context())
		if err == nil && got != "hour-1" {
			err = errors.New(got)
		}
		second <- err
	}()
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the one that gave up: %v", err)
	}
	release()
	if err := <-second; err != nil {
		t.Errorf("the one that waited: %v", err)
	}
	wantRequests(t, e, 1)
	if _, err := o.Token(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	answer := func(status int, body string) func(http.ResponseWriter, int32) {
		return func(w http.ResponseWriter, _ int32) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	echo := secretClient + " " + secretToken + " " + secretRefresh
	quoted := fmt.Sprintf(`"error_description":%q,"error_uri":%q,"access_token":%q`, echo, echo, echo)
	for name, test := range map[string]struct {
		answer func(http.ResponseWriter, int32)
		reason oauth.Reason
		says   string
	}{
		"invalid client":      {answer(401, `{"error":"invalid_client",`+quoted+`}`), oauth.Authentication, "the token endpoint returned invalid_client (HTTP 401); check the client id and the client secret"},
		"invalid grant":       {answer(400, `{"error":"invalid_grant",`+quoted+`}`), oauth.Authentication, "authorise the application again"},
		"unauthorized client": {answer(400, `{"error":"unauthorized_client",`+quoted+`}`), oauth.Authentication, "not allowed to use this grant type"},
		"an error with 200":   {answer(200, `{"error":"invalid_scope",`+quoted+`}`), oauth.Authentication, "the token endpoint returned invalid_scope (HTTP 200)"},
		"an unknown error":    {answer(400, `{"error":"`+echo+`",`+quoted+`}`), oauth.Authentication, "the token endpoint returned HTTP 400"},
		"forbidden":           {answer(403, echo), oauth.Authentication, "the token endpoint returned HTTP 403"},
		"not found":           {answer(404, echo), oauth.Unreachable, "the token endpoint returned HTTP 404"},
		"server error":        {answer(500, `{"error":"server_error"}`), oauth.Unreachable, "the token endpoint returned HTTP 500"},
		"unavailable":         {answer(503, echo), oauth.Unreachable, "the token endpoint returned HTTP 503"},
		"rate limited":        {answer(429, `{"error":"`+echo+`"}`), oauth.Unreachable, "the token endpoint returned HTTP 429"},
		"not JSON":            {answer(200, echo), oauth.Unreachable, "contains no access token"},
		"nothing":             {answer(200, ``), oauth.Unreachable, "contains no access token"},
		"no token in it":      {answer(200, `{"token":"`+echo+`"}`), oauth.Unreachable, "contains no access token"},
		"another type":        {answer(200, `{"access_token":"t","token_type":"mac"}`), oauth.Unreachable, "not a Bearer token"},
		"expired":             {grantFor("t", -5), oauth.Unreachable, "has expired"},
		"a token with a line": {answer(200, `{"access_token":"t\nX-Evil: 1"}`), oauth.Unreachable, "header cannot contain"},
		"a redirect": {func(w http.ResponseWriter, _ int32) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, oauth.Unreachable, "the token endpoint returned HTTP 307"},
		"cut off": {func(w http.ResponseWriter, _ int32) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		}, oauth.Unreachable, "cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEndpoint(t)
			e.respondWith(test.answer)
			o, _, reported := source(t, e.URL+"/oauth/token", nil)
			c := client(t, "http://127.0.0.1:1/", o)
			for range 3 {
				err := c.Hello(t.Context())
				if got := outcomeOf(t, err); got != "not sent: "+string(test.reason) || !strings.Contains(err.Error(), test.says) ||
					!strings.Contains(err.Error(), e.URL+"/oauth/token") {
					t.Errorf("%s: %v", got, err)
				}
				checkNoSecrets(t, err)
			}
			wantRequests(t, e, 1)
			if len(reported()) != 1 {
				t.Errorf("reported %v", reported())
			}
		})
	}

	t.Run("nobody there", func(t *testing.T) {
		e := newEndpoint(t)
		e.Close()
		o, _, _ := source(t, e.URL, nil)
		err := client(t, "http://127.0.0.1:1/", o).Hello(t.Context())
		if got := outcomeOf(t, err); got != "not sent: unreachable" || !strings.Contains(err.Error(), "cannot be reached: dial tcp") {
			t.Errorf("%s: %v", got, err)
		}
		checkNoSecrets(t, err)
	})
	t.Run("no answer", func(t *testing.T) {
		e := newEndpoint(t)
		defer e.blockResponses()()
		o, _, _ := source(t, e.URL, func(options *oauth.Options) { options.Timeout = 50 * time.Millisecond })
		err := client(t, "http://127.0.0.1:1/", o).Hello(t.Context())
		if got := outcomeOf(t, err); got != "not sent: unreachable" || !strings.Contains(err.Error(), "did not respond in time") {
			t.Errorf("%s: %v", got, err)
		}
	})
}

// checkNoSecrets fails the test if the text of the error, or of an error that it wraps, contains a
// secret or a line break.
func checkNoSecrets(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		for _, secret := range []string{secretClient, secretRefresh, secretToken, "\n"} {
			if strings.Contains(err.Error(), secret) || strings.Contains(fmt.Sprintf("%+v", err), secret) {
				t.Errorf("shown: %v", err)
			}
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	good := oauth.Options{TokenURL: "https://auth.example.com/oauth/token", ClientID: "id", ClientSecret: secretClient}
	o, err := oauth.NewEndpoint(good)
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%v %+v %#v %s %v %+v %#v", o, o, o, o, good, good, good); strings.Contains(text, secretClient) {
		t.Errorf("printing shows the secret: %s", text)
	}
	for where, change := range map[string]func(*oauth.Options){
		"Options.TokenURL":     func(o *oauth.Options) { o.TokenURL = "auth.example.com" },
		"Options.TokenURL ":    func(o *oauth.Options) { o.TokenURL = "" },
		"Options.TokenURL  ":   func(o *oauth.Options) { o.TokenURL = "https://me:" + secretToken + "@auth.example.com" },
		"Options.ClientID":     func(o *oauth.Options) { o.ClientID = "" },
		"Options.ClientSecret": func(o *oauth.Options) { o.ClientSecret = "" },
		"Options.Timeout":      func(o *oauth.Options) { o.Timeout = -1 },
	} {
		options := good
		change(&options)
		_, err := oauth.NewEndpoint(options)
		var invalid *oauth.OptionError
		if !errors.As(err, &invalid) || "Options."+invalid.Option != strings.TrimSpace(where) || strings.Contains(err.Error(), secretToken) {
			t.Errorf("%s: %v", where, err)
		}
	}
}
