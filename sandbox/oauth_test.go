package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oppflow/oppflow/sandbox"
)

const (
	clientID     = "client-1"
	clientSecret = "secret & more=%"
)

// tokens is an answer of the token endpoint.
type tokens struct {
	status int
	header http.Header
	raw    string
	// The names are those of RFC 6749.
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	RefreshToken string `json:"refresh_token"`
	Error        string `json:"error"`
	Description  string `json:"error_description"`
}

var formType = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}

// grant sends a form to the token endpoint. Parameters are name=value. The client's own parameters are added when they
// are not given.
func (a *api) grant(t testing.TB, parameters ...string) tokens {
	t.Helper()
	form := url.Values{"client_id": {clientID}, "client_secret": {clientSecret}}
	for _, p := range parameters {
		name, value, _ := strings.Cut(p, "=")
		form.Set(name, value)
	}
	return a.form(t, form.Encode(), formType)
}

func (a *api) form(t testing.TB, body string, header http.Header) tokens {
	t.Helper()
	reply := a.send(t, http.MethodPost, "/oauth/token", strings.NewReader(body), header)
	answer := tokens{status: reply.status, header: reply.header, raw: reply.raw}
	if err := json.Unmarshal([]byte(reply.raw), &answer); err != nil {
		t.Fatalf("the answer is not JSON: %v: %s", err, reply.raw)
	}
	return answer
}

// issued expects a token.
func (g tokens) issued(t testing.TB) tokens {
	t.Helper()
	if g.status != http.StatusOK || len(g.AccessToken) < 32 || g.TokenType != "Bearer" || g.ExpiresIn <= 0 || g.Error != "" {
		t.Errorf("no token: %d %s", g.status, g.raw)
	}
	return g
}

// hello sends a query with a token and returns the status.
func (a *api) hello(t testing.TB, bearer string) int {
	t.Helper()
	return a.send(t, http.MethodPost, "/graphql", strings.NewReader(`{"query":"{ hello }"}`), http.Header{
		"Content-Type": {"application/json"}, "Authorization": {"Bearer " + bearer},
	}).status
}

func openOAuth(t *testing.T, o sandbox.Options) *api {
	t.Helper()
	o.ClientID, o.ClientSecret = clientID, clientSecret
	return open(t, o)
}

func (a *api) firstRefreshToken(t testing.TB) string {
	t.Helper()
	client, err := a.Client(t.Context())
	if err != nil || client.RefreshToken == "" {
		t.Fatalf("no refresh token: %v", err)
	}
	return client.RefreshToken
}

// OBS (1.1): the answer has access_token, token_type, which is Bearer (1), expires_in and refresh_token. OBS (1.1):
// expires_in is 3600 in the first and the refreshed reply. A reply for client credentials has no refresh_token.
func TestTokensExpire(t *testing.T) {
	t.Parallel()
	for name, life := range map[string]time.Duration{"by default": 0, "as set": 90 * time.Second} {
		t.Run(name, func(t *testing.T) {
			now := newClock()
			a := openOAuth(t, sandbox.Options{Now: now.Now, TokenLife: life})
			if life == 0 {
				life = time.Hour
			}
			old := a.grant(t, "grant_type=client_credentials").issued(t)
			if old.ExpiresIn != int(life.Seconds()) || old.RefreshToken != "" {
				t.Errorf("answered %s", old.raw)
			}
			if old.header.Get("Cache-Control") != "no-store" || old.header.Get("Content-Type") != "application/json" {
				t.Errorf("answered with %v", old.header)
			}
			now.advance(life - time.Microsecond)
			if status := a.hello(t, old.AccessToken); status != 200 {
				t.Errorf("right before it expires: %d", status)
			}
			newer := a.grant(t, "grant_type=client_credentials", "scope=instance").issued(t)
			now.advance(time.Microsecond)
			answer := a.send(t, http.MethodPost, "/graphql", strings.NewReader(`{"query":"{ hello }"}`), http.Header{
				"Content-Type": {"application/json"}, "Authorization": {"Bearer " + old.AccessToken},
			})
			if answer.status != 401 || answer.hasData() || !strings.Contains(answer.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
				t.Errorf("expired: %d %v %s", answer.status, answer.header, answer.raw)
			}
			if status := a.hello(t, newer.AccessToken); status != 200 || newer.AccessToken == old.AccessToken {
				t.Errorf("the newer one: %d", status)
			}
			now.advance(1000 * time.Hour)
			a.grant(t, "grant_type=client_credentials").issued(t)
			if old, newer := a.hello(t, old.AccessToken), a.hello(t, newer.AccessToken); old != 401 || newer != 401 {
				t.Errorf("long after: %d and %d", old, newer)
			}
			if status := a.hello(t, token); status != 200 {
				t.Errorf("the token that does not expire: %d", status)
			}
		})
	}
}

// DOC/OBS (1.1): a token request is a POST of a form, with client id and secret in the body, not by HTTP Basic; DOC
// (1.1): the scope is instance.
func TestTokenRequestsAreRefused(t *testing.T) {
	t.Parallel()
	a := openOAuth(t, sandbox.Options{})
	good := url.Values{"client_id": {clientID}, "client_secret": {clientSecret}, "grant_type": {"client_credentials"}}.Encode()
	with := func(name, value string) http.Header {
		h := formType.Clone()
		h.Set(name, value)
		return h
	}
	for name, test := range map[string]struct {
		answer tokens
		status int
		code   string
	}{
		"no grant":             {a.grant(t), 400, "invalid_request"},
		"an unknown grant":     {a.grant(t, "grant_type=password"), 400, "unsupported_grant_type"},
		"an unknown code":      {a.grant(t, "grant_type=authorization_code", "code=x"), 400, "invalid_grant"},
		"no code":              {a.grant(t, "grant_type=authorization_code"), 400, "invalid_request"},
		"another client":       {a.grant(t, "grant_type=client_credentials", "client_id=other"), 401, "invalid_client"},
		"another secret":       {a.grant(t, "grant_type=client_credentials", "client_secret=other"), 401, "invalid_client"},
		"no secret":            {a.grant(t, "grant_type=client_credentials", "client_secret="), 401, "invalid_client"},
		"no client":            {a.form(t, "grant_type=client_credentials", formType), 401, "invalid_client"},
		"the token as secret":  {a.grant(t, "grant_type=client_credentials", "client_secret="+token), 401, "invalid_client"},
		"another scope":        {a.grant(t, "grant_type=client_credentials", "scope=admin"), 400, "invalid_scope"},
		"no refresh token":     {a.grant(t, "grant_type=refresh_token"), 400, "invalid_request"},
		"unknown refresh":      {a.grant(t, "grant_type=refresh_token", "refresh_token=x"), 400, "invalid_grant"},
		"access as refresh":    {a.grant(t, "grant_type=refresh_token", "refresh_token="+a.grant(t, "grant_type=client_credentials").AccessToken), 400, "invalid_grant"},
		"twice the same":       {a.form(t, good+"&grant_type=client_credentials", formType), 400, "invalid_request"},
		"JSON":                 {a.form(t, `{"grant_type":"client_credentials"}`, http.Header{"Content-Type": {"application/json"}}), 400, "invalid_request"},
		"no content type":      {a.form(t, good, http.Header{}), 400, "invalid_request"},
		"HTTP Basic":           {a.form(t, good, with("Authorization", "Basic eDp5")), 400, "invalid_request"},
		"a form that is none":  {a.form(t, "grant_type=%zz", formType), 400, "invalid_request"},
		"a form without limit": {a.form(t, good+"&x="+strings.Repeat("x", 64<<10), formType), 400, "invalid_request"},
	} {
		g := test.answer
		if g.status != test.status || g.Error != test.code || g.Description == "" || g.AccessToken != "" {
			t.Errorf("%s: %d %s, want %d %s", name, g.status, g.raw, test.status, test.code)
		}
		if g.header.Get("Cache-Control") != "no-store" || strings.Contains(g.raw, clientSecret) || strings.Contains(g.raw, token) {
			t.Errorf("%s: %v %s", name, g.header, g.raw)
		}
	}
	if answer := a.send(t, http.MethodPost, "/oauth/token?grant_type=client_credentials", strings.NewReader(good), formType); answer.status != 400 || !strings.Contains(answer.raw, "invalid_request") {
		t.Errorf("in the URL: %d %s", answer.status, answer.raw)
	}
	if answer := a.send(t, http.MethodGet, "/oauth/token", nil, nil); answer.status != 405 || answer.header.Get("Allow") != "POST" {
		t.Errorf("GET: %d %s", answer.status, answer.raw)
	}
	// A refused request leaves no usable token behind.
	if status := a.hello(t, ""); status != 401 {
		t.Errorf("an empty token: %d", status)
	}
	a.form(t, good, with("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")).issued(t)
	a.grant(t, "grant_type=client_credentials", "scope=instance").issued(t)
}

// OBS (1.1): a renewal returns a new refresh token. DOC (1.1): the one before can be used again.
func TestRefreshTokens(t *testing.T) {
	t.Parallel()
	for name, once := range map[string]bool{"stay good": false, "once": true} {
		t.Run(name, func(t *testing.T) {
			var o sandbox.Options
			if once {
				o.Assume = map[string]string{"oauth.refresh": "replaced"}
			}
			a := openOAuth(t, o)
			first := a.firstRefreshToken(t)
			one := a.grant(t, "grant_type=refresh_token", "refresh_token="+first).issued(t)
			if one.RefreshToken == "" || one.RefreshToken == first || a.firstRefreshToken(t) != one.RefreshToken {
				t.Errorf("answered %s after %s", one.raw, first)
			}
			if status := a.hello(t, one.AccessToken); status != 200 {
				t.Errorf("its access token: %d", status)
			}
			again := a.grant(t, "grant_type=refresh_token", "refresh_token="+first)
			if once && (again.status != 400 || again.Error != "invalid_grant") || !once && again.status != 200 {
				t.Errorf("the first again: %d %s", again.status, again.raw)
			}
			two := a.grant(t, "grant_type=refresh_token", "refresh_token="+one.RefreshToken).issued(t)
			if two.RefreshToken == one.RefreshToken || a.hello(t, one.AccessToken) != 200 {
				t.Error("the second is no new one, or has ended what the first gave")
			}
		})
	}
}

func TestTokensSurviveARestart(t *testing.T) {
	t.Parallel()
	now := newClock()
	o := sandbox.Options{Data: filepath.Join(t.TempDir(), "data.db"), Token: token, Now: now.Now, Assume: map[string]string{"oauth.refresh": "replaced"}}
	start := func() (*api, sandbox.Client) {
		t.Helper()
		a, err := tryOpen(t, o)
		if err != nil {
			t.Fatal(err)
		}
		client, err := a.Client(t.Context())
		if err != nil || len(client.ID) < 16 || len(client.Secret) < 32 || len(client.RefreshToken) < 32 {
			t.Fatalf("%+v, %v", client, err)
		}
		return a, client
	}
	a, before := start()
	own := []string{"client_id=" + before.ID, "client_secret=" + before.Secret}
	old := a.grant(t, append(own, "grant_type=client_credentials")...).issued(t)
	now.advance(30 * time.Minute)
	newer := a.grant(t, append(own, "grant_type=refresh_token", "refresh_token="+before.RefreshToken)...).issued(t)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}

	now.advance(30 * time.Minute)
	a, after := start()
	defer func() { _ = a.Close() }()
	if after.ID != before.ID || after.Secret != before.Secret || after.RefreshToken != newer.RefreshToken {
		t.Errorf("the client was %+v, is %+v", before, after)
	}
	if first, second := a.hello(t, old.AccessToken), a.hello(t, newer.AccessToken); first != 401 || second != 200 {
		t.Errorf("the one that has expired: %d, the other: %d", first, second)
	}
	if replaced := a.grant(t, append(own, "grant_type=refresh_token", "refresh_token="+before.RefreshToken)...); replaced.Error != "invalid_grant" {
		t.Errorf("the replaced refresh token: %s", replaced.raw)
	}
	a.grant(t, append(own, "grant_type=refresh_token", "refresh_token="+newer.RefreshToken)...).issued(t)

	// A given refresh token that was replaced does not become valid again.
	o.RefreshToken = before.RefreshToken
	b, _ := start()
	defer func() { _ = b.Close() }()
	if replaced := b.grant(t, append(own, "grant_type=refresh_token", "refresh_token="+before.RefreshToken)...); replaced.Error != "invalid_grant" {
		t.Errorf("the replaced refresh token, given again: %s", replaced.raw)
	}
	given := strings.Repeat("given", 8)
	o.RefreshToken = given
	c, _ := start()
	defer func() { _ = c.Close() }()
	c.grant(t, append(own, "grant_type=refresh_token", "refresh_token="+given)...).issued(t)
}

// Many renewals use one refresh token that can be used once. One renewal succeeds, and its tokens work.
func TestOneOfManyRenewalsSucceeds(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, data string) {
		a := openOAuth(t, sandbox.Options{Data: data, Assume: map[string]string{"oauth.refresh": "replaced"}})
		refresh := a.firstRefreshToken(t)
		var all sync.WaitGroup
		var good atomic.Int32
		for range 32 {
			all.Go(func() {
				a.grant(t, "grant_type=client_credentials").issued(t)
				switch g := a.grant(t, "grant_type=refresh_token", "refresh_token="+refresh); {
				case g.status == 200:
					good.Add(1)
					if status := a.hello(t, g.AccessToken); status != 200 {
						t.Errorf("its token: %d", status)
					}
				case g.Error != "invalid_grant":
					t.Errorf("%d %s", g.status, g.raw)
				}
			})
		}
		all.Wait()
		if good.Load() != 1 {
			t.Errorf("%d succeeded", good.Load())
		}
	})
}

func TestTokenLifeIsPlausible(t *testing.T) {
	t.Parallel()
	for _, life := range []time.Duration{-time.Second, time.Millisecond} {
		if a, err := tryOpen(t, sandbox.Options{TokenLife: life}); err == nil || !strings.Contains(err.Error(), "at least a second") {
			t.Errorf("%v: %v", life, err)
			_ = a.Close()
		}
	}
}

// No request makes the token endpoint fail internally, and no wrong request gets a token.
func FuzzTokenRequest(f *testing.F) {
	s, err := sandbox.Open(f.Context(), sandbox.Options{ClientID: clientID, ClientSecret: clientSecret})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	a := &api{Sandbox: s}
	for _, body := range []string{
		"", "&", "grant_type", "grant_type=client_credentials&client_id=" + clientID + "&client_secret=x", "grant_type=refresh_token&refresh_token=\x00",
		"client_id=%00&client_id=1", strings.Repeat("a=&", 1000),
	} {
		f.Add(body)
	}
	secret := url.QueryEscape(clientSecret)
	f.Fuzz(func(t *testing.T, body string) {
		if values, err := url.ParseQuery(body); err == nil && values.Get("client_secret") == clientSecret || strings.Contains(body, secret) {
			return
		}
		if answer := a.form(t, body, formType); answer.status != 400 && answer.status != 401 || answer.AccessToken != "" {
			t.Fatalf("%d %s to %q", answer.status, answer.raw, body)
		}
	})
}
