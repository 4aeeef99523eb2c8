package administrate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oppflow/oppflow/administrate/http1"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
)

// TestSlowAnswer: if the response does not arrive before the context's deadline, the client returns
// an UnknownError.
func TestSlowAnswer(t *testing.T) {
	arrived := make(chan struct{}, 8)
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		if r.URL.Path == "/trickle" {
			_, _ = io.WriteString(w, "{")
			_ = http.NewResponseController(w).Flush()
		}
		<-release
	}))
	defer server.Close()
	defer close(release)

	t.Run("deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		err := addInterest(ctx, client(t, server.URL, nil))
		if got := outcomeOf(t, err); got != "unknown" || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", got, err)
		}
	})
	t.Run("deadline within the answer", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		err := addInterest(ctx, client(t, server.URL+"/trickle", nil))
		if got := outcomeOf(t, err); got != "unknown" || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", got, err)
		}
	})
	t.Run("timeout of its own", func(t *testing.T) {
		err := addInterest(t.Context(), client(t, server.URL, func(o *Options) { o.Timeout = 100 * time.Millisecond }))
		if got := outcomeOf(t, err); got != "unknown" {
			t.Errorf("%s: %v", got, err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		for len(arrived) > 0 {
			<-arrived
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-arrived
			cancel()
		}()
		err := addInterest(ctx, client(t, server.URL, nil))
		if got := outcomeOf(t, err); got != "unknown" || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", got, err)
		}
	})
	t.Run("send-by time passes while waiting for the answer", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		err := addInterest(transport.WithSendDeadline(ctx, time.Now().Add(50*time.Millisecond)), client(t, server.URL, nil))
		if got := outcomeOf(t, err); got != "unknown" {
			t.Errorf("%s: %v", got, err)
		}
	})
}

func TestEndedBeforehand(t *testing.T) {
	var times atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { times.Add(1) }))
	defer server.Close()
	c := client(t, server.URL, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := outcomeOf(t, addInterest(ctx, c)); got != "not sent: cancelled" {
		t.Errorf("cancelled: %s", got)
	}
	if got := outcomeOf(t, addInterest(transport.WithSendDeadline(t.Context(), time.Now().Add(-time.Second)), c)); got != "not sent: expired" {
		t.Errorf("expired: %s", got)
	}
	if times.Load() != 0 {
		t.Errorf("sent %d times", times.Load())
	}
}

// TestSendDeadlineWhileConnecting: if the client has no connection at the send deadline, the client
// stops waiting and does not send the document.
func TestSendDeadlineWhileConnecting(t *testing.T) {
	for name, obeys := range map[string]bool{"a dialer that can be stopped": true, "one that cannot": false} {
		t.Run(name, func(t *testing.T) {
			var times atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { times.Add(1) }))
			defer server.Close()
			by := time.Now().Add(100 * time.Millisecond)
			httpTransport := http1.NewTransport(nil)
			dial := httpTransport.DialContext
			httpTransport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				if obeys {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				<-time.After(time.Until(by) + 50*time.Millisecond)
				return dial(ctx, network, address)
			}
			c := client(t, server.URL, func(o *Options) { o.Transport = httpTransport })
			err := addInterest(transport.WithSendDeadline(t.Context(), by), c)
			if got := outcomeOf(t, err); got != "not sent: expired" || times.Load() != 0 {
				t.Errorf("%s, sent %d times: %v", got, times.Load(), err)
			}
		})
	}
}

// TestCancelledBeforehand: if the context is cancelled while a call waits for a token or a
// connection, the client sends nothing and the call fails with NotSentError.
func TestCancelledBeforehand(t *testing.T) {
	httpTransport := http1.NewTransport(nil)
	begun := make(chan struct{}, 2)
	httpTransport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		begun <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	source := tokens(func(ctx context.Context) (string, error) {
		begun <- struct{}{}
		<-ctx.Done()
		return "", errors.New("gave up")
	})
	for name, change := range map[string]func(*Options){
		"connecting":          func(o *Options) { o.Transport = httpTransport },
		"waiting for a token": func(o *Options) { o.Tokens = source },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-begun
			cancel()
		}()
		if err := addInterest(ctx, client(t, "http://127.0.0.1/", change)); outcomeOf(t, err) != "not sent: cancelled" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSendDeadlineWhileRenewing: the client does not wait for a slow token after the send deadline.
func TestSendDeadlineWhileRenewing(t *testing.T) {
	t.Parallel()
	c := client(t, "http://127.0.0.1/", func(o *Options) {
		o.Tokens = tokens(func(ctx context.Context) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		})
	})
	err := addInterest(transport.WithSendDeadline(t.Context(), time.Now().Add(50*time.Millisecond)), c)
	if got := outcomeOf(t, err); got != "not sent: expired" {
		t.Errorf("%s: %v", got, err)
	}
}

type tokens func(context.Context) (string, error)

func (f tokens) Token(ctx context.Context) (string, error) { return f(ctx) }

func TestToken(t *testing.T) {
	t.Parallel()
	var times atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		times.Add(1)
		_, _ = io.WriteString(w, successBody)
	}))
	defer server.Close()
	cause := errors.New("no token to be had")
	for name, source := range map[string]oauth.TokenSource{
		"fails":    tokens(func(context.Context) (string, error) { return "", cause }),
		"empty":    oauth.StaticToken(""),
		"newline":  oauth.StaticToken(secretToken + "\nX-Other: 1"),
		"blank":    oauth.StaticToken(secretToken + " x"),
		"not text": oauth.StaticToken("\xff" + secretToken),
	} {
		err := addInterest(t.Context(), client(t, server.URL, func(o *Options) { o.Tokens = source }))
		if got := outcomeOf(t, err); got != "not sent: authentication" {
			t.Errorf("%s: %s", name, got)
		}
		if name == "fails" && !errors.Is(err, cause) {
			t.Errorf("the cause is lost: %v", err)
		}
	}
	if times.Load() != 0 {
		t.Errorf("sent %d times", times.Load())
	}
	if text := fmt.Sprintf("%v %+v %#v %s", oauth.StaticToken(secretToken), oauth.StaticToken(secretToken), oauth.StaticToken(secretToken),
		oauth.StaticToken(secretToken)); strings.Contains(text, secretToken) {
		t.Errorf("printing a token shows it: %s", text)
	}
	n := 0
	c := client(t, server.URL, func(o *Options) {
		o.Tokens = tokens(func(context.Context) (string, error) { n++; return "t", nil })
	})
	for range 3 {
		if err := addInterest(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if n != 3 {
		t.Errorf("asked %d times, want 3", n)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	good := Options{Options: transport.Options{URL: "https://api.example.com/graphql", Tokens: oauth.StaticToken("t")}}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for where, change := range map[string]func(*Options){
		"Options.URL":               func(o *Options) { o.URL = "api.example.com/graphql" },
		"Options.URL ":              func(o *Options) { o.URL = "" },
		"Options.URL  ":             func(o *Options) { o.URL = "https://me:" + secretToken + "@api.example.com" },
		"Options.URL   ":            func(o *Options) { o.URL = "://" + secretToken },
		"Options.Tokens":            func(o *Options) { o.Tokens = nil },
		"Options.RequestsPerSecond": func(o *Options) { o.RequestsPerSecond = -1 },
		"Options.Burst":             func(o *Options) { o.Burst = -1 },
		"Options.MaxResponseBytes":  func(o *Options) { o.MaxResponseBytes = -1 },
		"Options.Timeout":           func(o *Options) { o.Timeout = -1 },
	} {
		o := good
		change(&o)
		_, err := New(o)
		var invalid *InvalidError
		if outcomeOf(t, err); !errors.As(err, &invalid) || invalid.Where != strings.TrimSpace(where) {
			t.Errorf("%s: %v", where, err)
		}
	}
}

// notPermittedAfterToken is a token source; after a call of Token, Options.Permitted refuses every
// request.
type notPermittedAfterToken struct{ withheld *atomic.Bool }

func (s notPermittedAfterToken) Token(context.Context) (string, error) {
	s.withheld.Store(true)
	return "other", nil
}

// If Options.Permitted starts to refuse requests while the client waits for a token, the client
// does not use the token.
func TestATokenOfOtherCredentialsIsNotUsed(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	defer server.Close()
	var withheld atomic.Bool
	c, err := New(Options{Options: transport.Options{
		URL: server.URL, Tokens: notPermittedAfterToken{&withheld}, Permitted: func(context.Context) error {
			if withheld.Load() {
				return errors.New("the credentials were replaced")
			}
			return nil
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var notSent *NotSentError
	if err := c.Hello(t.Context()); !errors.As(err, &notSent) || notSent.Reason != NotPermitted || requests.Load() != 0 {
		t.Errorf("%v, %d requests; want none", err, requests.Load())
	}
}
