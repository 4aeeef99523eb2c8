package administrate_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/sandbox"
)

type refreshTokenStore struct {
	mu    sync.Mutex
	token string
}

func (k *refreshTokenStore) RefreshToken() (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.token, nil
}

func (k *refreshTokenStore) Replaced(_, next string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.token = next
	return nil
}

// shortLivedTokens is a sandbox whose OAuth access tokens expire soon.
type shortLivedTokens struct {
	*sandbox.Sandbox
	url          string
	ahead, asked atomic.Int64
}

func (e *shortLivedTokens) now() time.Time { return time.Now().Add(time.Duration(e.ahead.Load())) }

func newExpiring(t *testing.T, life time.Duration) *shortLivedTokens {
	t.Helper()
	e := &shortLivedTokens{}
	var err error
	if e.Sandbox, err = sandbox.Open(t.Context(), sandbox.Options{
		Now: e.now, TokenLifetime: life, Assumptions: map[string]string{"oauth.refresh": "replaced"}, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oauth/token" {
			e.asked.Add(1)
		}
		e.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.Close()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	e.url = server.URL
	return e
}

func (e *shortLivedTokens) client(t *testing.T, refresh bool) *administrate.Client {
	t.Helper()
	known, err := e.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	options := oauth.Options{
		TokenURL: e.url + "/oauth/token", ClientID: known.ID, ClientSecret: known.Secret,
		Now: e.now, OnFailure: func(err error) { t.Errorf("reported: %v", err) },
	}
	if refresh {
		options.RefreshTokens = &refreshTokenStore{token: known.RefreshToken}
	}
	tokens, err := oauth.NewEndpoint(options)
	if err != nil {
		t.Fatal(err)
	}
	c, err := administrate.New(administrate.Options{Options: transport.Options{URL: e.url + "/graphql", Tokens: tokens, Burst: 1000, RequestsPerSecond: 1000}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestTokensThatExpire: for a day, concurrent callers use tokens that expire after an hour, with
// both grants.
func TestTokensThatExpire(t *testing.T) {
	t.Parallel()
	for name, refresh := range map[string]bool{"client credentials": false, "refresh token": true} {
		t.Run(name, func(t *testing.T) {
			e := newExpiring(t, time.Hour)
			c := e.client(t, refresh)
			for range 24 {
				var all sync.WaitGroup
				for range 8 {
					all.Go(func() {
						if err := c.Hello(t.Context()); err != nil {
							t.Errorf("a read: %v", err)
						}
					})
				}
				all.Wait()
				if _, err := c.CreateOpportunity(t.Context(), administrate.NewOpportunity{Name: "n", RegionID: regionDR}); err != nil {
					t.Errorf("a change: %v", err)
				}
				e.ahead.Add(int64(time.Hour))
			}
			if n := e.asked.Load(); n != 24 {
				t.Errorf("the token endpoint was asked %d times, want once an hour", n)
			}
		})
	}
}

// TestTokenThatExpiresUnnoticed: if the client's clock is wrong, only a 401 of the API shows that
// the token has expired.
func TestTokenThatExpiresUnnoticed(t *testing.T) {
	t.Parallel()
	e := newExpiring(t, time.Hour)
	var slow atomic.Int64
	known, err := e.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := oauth.NewEndpoint(oauth.Options{
		TokenURL: e.url + "/oauth/token", ClientID: known.ID, ClientSecret: known.Secret,
		Now: func() time.Time { return e.now().Add(-time.Duration(slow.Load())) },
	})
	if err != nil {
		t.Fatal(err)
	}
	stopped, err := administrate.New(administrate.Options{Options: transport.Options{URL: e.url + "/graphql", Tokens: tokens}})
	if err != nil {
		t.Fatal(err)
	}
	create := func() error {
		_, err := stopped.CreateOpportunity(t.Context(), administrate.NewOpportunity{Name: "only once", RegionID: regionDR})
		return err
	}
	if err := stopped.Hello(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.ahead.Add(int64(2 * time.Hour))
	slow.Add(int64(2 * time.Hour))
	var notSent *administrate.NotSentError
	if err := create(); !errors.As(err, &notSent) || notSent.Reason != administrate.Authentication {
		t.Errorf("with a token that has expired: %v", err)
	}
	if err := create(); err != nil {
		t.Errorf("the next one: %v", err)
	}
	page, err := stopped.Opportunities(t.Context(), administrate.Search{Filters: []administrate.Filter{{Field: administrate.ByName, Operation: administrate.Equal, Value: "only once"}}})
	if err != nil || page.Count != 1 {
		t.Errorf("%d records, %v", page.Count, err)
	}
}

// TestTwoProcessesWithOneRefreshToken: the token endpoint accepts each refresh token only once. The
// second process uses the new refresh token that the first process has stored.
func TestTwoProcessesWithOneRefreshToken(t *testing.T) {
	t.Parallel()
	e := newExpiring(t, time.Hour)
	known, err := e.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	shared := &refreshTokenStore{token: known.RefreshToken}
	process := func(secret string) *oauth.Endpoint {
		tokens, err := oauth.NewEndpoint(oauth.Options{
			TokenURL: e.url + "/oauth/token", ClientID: known.ID, ClientSecret: secret, RefreshTokens: shared, Now: e.now,
		})
		if err != nil {
			t.Fatal(err)
		}
		return tokens
	}
	one, two := process(known.Secret), process(known.Secret)
	for range 5 {
		for _, tokens := range []*oauth.Endpoint{one, two, two, one} {
			if _, err := tokens.Token(t.Context()); err != nil {
				t.Error(err)
			}
		}
		e.ahead.Add(int64(time.Hour))
	}
	if _, err := process("wrong").Token(t.Context()); err == nil || !strings.Contains(err.Error(), "invalid_client (HTTP 401)") {
		t.Errorf("with a wrong secret: %v", err)
	}
}
