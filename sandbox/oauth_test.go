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

type tokens struct {
	status int
	header http.Header
	raw    string
	// RFC 6749 defines the JSON names of these members.
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	RefreshToken string `json:"refresh_token"`
	Error        string `json:"error"`
	Description  string `json:"error_description"`
}

var formType = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}

// Parameters are name=value. If client_id or client_secret is not in the parameters, requestToken
// adds the client's own value.
func (a *api) requestToken(t testing.TB, parameters ...string) tokens {
	t.Helper()
	form := url.Values{"client_id": {clientID}, "client_secret": {clientSecret}}
	for _, p := range parameters {
		name, value, _ := strings.Cut(p, "=")
		form.Set(name, value)
	}
	return a.postForm(t, form.Encode(), formType)
}

func (a *api) postForm(t testing.TB, body string, header http.Header) tokens {
	t.Helper()
	reply := a.send(t, http.MethodPost, "/oauth/token", strings.NewReader(body), header)
	answer := tokens{status: reply.status, header: reply.header, raw: reply.raw}
	if err := json.Unmarshal([]byte(reply.raw), &answer); err != nil {
		t.Fatalf("the response is not JSON: %v: %s", err, reply.raw)
	}
	return answer
}

func (g tokens) mustIssue(t testing.TB) tokens {
	t.Helper()
	if g.status != http.StatusOK || len(g.AccessToken) < 32 || g.TokenType != "Bearer" || g.ExpiresIn <= 0 || g.Error != "" {
		t.Errorf("the response contains no token: %d %s", g.status, g.raw)
	}
	return g
}

func (a *api) helloStatus(t testing.TB, bearer string) int {
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

// Observed (API notes 1.1): the response of the token endpoint has access_token, token_type,
// expires_in and refresh_token. Observed (API notes 1): token_type is Bearer. Observed (API notes
// 1.1): expires_in is 3600 in the first response and after a renewal. The response for the grant
// client credentials has no refresh_token.
func TestTokensExpire(t *testing.T) {
	t.Parallel()
	for name, life := range map[string]time.Duration{"by default": 0, "as set": 90 * time.Second} {
		t.Run(name, func(t *testing.T) {
			now := newClock()
			a := openOAuth(t, sandbox.Options{Now: now.Now, TokenLifetime: life})
			if life == 0 {
				life = time.Hour
			}
			old := a.requestToken(t, "grant_type=client_credentials").mustIssue(t)
			if old.ExpiresIn != int(life.Seconds()) || old.RefreshToken != "" {
				t.Errorf("answered %s", old.raw)
			}
			if old.header.Get("Cache-Control") != "no-store" || old.header.Get("Content-Type") != "application/json" {
				t.Errorf("the response has the header %v", old.header)
			}
			now.advance(life - time.Microsecond)
			if status := a.helloStatus(t, old.AccessToken); status != 200 {
				t.Errorf("status with the token just before its expiry: %d", status)
			}
			newer := a.requestToken(t, "grant_type=client_credentials", "scope=instance").mustIssue(t)
			now.advance(time.Microsecond)
			answer := a.send(t, http.MethodPost, "/graphql", strings.NewReader(`{"query":"{ hello }"}`), http.Header{
				"Content-Type": {"application/json"}, "Authorization": {"Bearer " + old.AccessToken},
			})
			if answer.status != 401 || answer.hasData() || !strings.Contains(answer.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
				t.Errorf("expired: %d %v %s", answer.status, answer.header, answer.raw)
			}
			if status := a.helloStatus(t, newer.AccessToken); status != 200 || newer.AccessToken == old.AccessToken {
				t.Errorf("status with the newer token: %d", status)
			}
			now.advance(1000 * time.Hour)
			a.requestToken(t, "grant_type=client_credentials").mustIssue(t)
			if old, newer := a.helloStatus(t, old.AccessToken), a.helloStatus(t, newer.AccessToken); old != 401 || newer != 401 {
				t.Errorf("statuses long after the expiry of both tokens: %d and %d", old, newer)
			}
			if status := a.helloStatus(t, token); status != 200 {
				t.Errorf("status with the token that never expires: %d", status)
			}
		})
	}
}

// Documented and observed (API notes 1.1): a token request is a POST request whose body is a form.
// The body contains the client id and the secret; HTTP Basic authentication is not used. Documented
// (API notes 1.1): the scope is instance.
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
		"no grant":             {a.requestToken(t), 400, "invalid_request"},
		"an unknown grant":     {a.requestToken(t, "grant_type=password"), 400, "unsupported_grant_type"},
		"an unknown code":      {a.requestToken(t, "grant_type=authorization_code", "code=x"), 400, "invalid_grant"},
		"no code":              {a.requestToken(t, "grant_type=authorization_code"), 400, "invalid_request"},
		"another client":       {a.requestToken(t, "grant_type=client_credentials", "client_id=other"), 401, "invalid_client"},
		"another secret":       {a.requestToken(t, "grant_type=client_credentials", "client_secret=other"), 401, "invalid_client"},
		"no secret":            {a.requestToken(t, "grant_type=client_credentials", "client_secret="), 401, "invalid_client"},
		"no client":            {a.postForm(t, "grant_type=client_credentials", formType), 401, "invalid_client"},
		"the token as secret":  {a.requestToken(t, "grant_type=client_credentials", "client_secret="+token), 401, "invalid_client"},
		"another scope":        {a.requestToken(t, "grant_type=client_credentials", "scope=admin"), 400, "invalid_scope"},
		"no refresh token":     {a.requestToken(t, "grant_type=refresh_token"), 400, "invalid_request"},
		"unknown refresh":      {a.requestToken(t, "grant_type=refresh_token", "refresh_token=x"), 400, "invalid_grant"},
		"access as refresh":    {a.requestToken(t, "grant_type=refresh_token", "refresh_token="+a.requestToken(t, "grant_type=client_credentials").AccessToken), 400, "invalid_grant"},
		"twice the same":       {a.postForm(t, good+"&grant_type=client_credentials", formType), 400, "invalid_request"},
		"JSON":                 {a.postForm(t, `{"grant_type":"client_credentials"}`, http.Header{"Content-Type": {"application/json"}}), 400, "invalid_request"},
		"no content type":      {a.postForm(t, good, http.Header{}), 400, "invalid_request"},
		"HTTP Basic":           {a.postForm(t, good, with("Authorization", "Basic eDp5")), 400, "invalid_request"},
		"a form that is none":  {a.postForm(t, "grant_type=%zz", formType), 400, "invalid_request"},
		"a form without limit": {a.postForm(t, good+"&x="+strings.Repeat("x", 64<<10), formType), 400, "invalid_request"},
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
	if status := a.helloStatus(t, ""); status != 401 {
		t.Errorf("an empty token: %d", status)
	}
	a.postForm(t, good, with("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")).mustIssue(t)
	a.requestToken(t, "grant_type=client_credentials", "scope=instance").mustIssue(t)
}

// Observed (API notes 1.1): the renewal of an access token returns a new refresh token. Documented
// (API notes 1.1): the previous refresh token stays usable after a renewal.
func TestRefreshTokens(t *testing.T) {
	t.Parallel()
	for name, once := range map[string]bool{"stay good": false, "once": true} {
		t.Run(name, func(t *testing.T) {
			var o sandbox.Options
			if once {
				o.Assumptions = map[string]string{"oauth.refresh": "replaced"}
			}
			a := openOAuth(t, o)
			first := a.firstRefreshToken(t)
			one := a.requestToken(t, "grant_type=refresh_token", "refresh_token="+first).mustIssue(t)
			if one.RefreshToken == "" || one.RefreshToken == first || a.firstRefreshToken(t) != one.RefreshToken {
				t.Errorf("answered %s after %s", one.raw, first)
			}
			if status := a.helloStatus(t, one.AccessToken); status != 200 {
				t.Errorf("status with the access token of the renewal: %d", status)
			}
			again := a.requestToken(t, "grant_type=refresh_token", "refresh_token="+first)
			if once && (again.status != 400 || again.Error != "invalid_grant") || !once && again.status != 200 {
				t.Errorf("second use of the first refresh token: %d %s", again.status, again.raw)
			}
			two := a.requestToken(t, "grant_type=refresh_token", "refresh_token="+one.RefreshToken).mustIssue(t)
			if two.RefreshToken == one.RefreshToken || a.helloStatus(t, one.AccessToken) != 200 {
				t.Error("the second token equals the first token, or the request for the second token ended the first token")
			}
		})
	}
}

func TestTokensSurviveARestart(t *testing.T) {
	t.Parallel()
	now := newClock()
	o := sandbox.Options{Data: filepath.Join(t.TempDir(), "data.db"), Token: token, Now: now.Now, Assumptions: map[string]string{"oauth.refresh": "replaced"}}
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
	old := a.requestToken(t, append(own, "grant_type=client_credentials")...).mustIssue(t)
	now.advance(30 * time.Minute)
	newer := a.requestToken(t, append(own, "grant_type=refresh_token", "refresh_token="+before.RefreshToken)...).mustIssue(t)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}

	now.advance(30 * time.Minute)
	a, after := start()
	defer func() { _ = a.Close() }()
	if after.ID != before.ID || after.Secret != before.Secret || after.RefreshToken != newer.RefreshToken {
		t.Errorf("the client was %+v before the restart, but is %+v after the restart", before, after)
	}
	if first, second := a.helloStatus(t, old.AccessToken), a.helloStatus(t, newer.AccessToken); first != 401 || second != 200 {
		t.Errorf("status with the expired token: %d, status with the other token: %d", first, second)
	}
	if replaced := a.requestToken(t, append(own, "grant_type=refresh_token", "refresh_token="+before.RefreshToken)...); replaced.Error != "invalid_grant" {
		t.Errorf("the replaced refresh token: %s", replaced.raw)
	}
	a.requestToken(t, append(own, "grant_type=refresh_token", "refresh_token="+newer.RefreshToken)...).mustIssue(t)

	// If a restart gets a refresh token that was replaced, the refresh token does not become valid
	// again.
	o.RefreshToken = before.RefreshToken
	b, _ := start()
	defer func() { _ = b.Close() }()
	if replaced := b.requestToken(t, append(own, "grant_type=refresh_token", "refresh_token="+before.RefreshToken)...); replaced.Error != "invalid_grant" {
		t.Errorf("the replaced refresh token after a restart: %s", replaced.raw)
	}
	given := strings.Repeat("given", 8)
	o.RefreshToken = given
	c, _ := start()
	defer func() { _ = c.Close() }()
	c.requestToken(t, append(own, "grant_type=refresh_token", "refresh_token="+given)...).mustIssue(t)
}

// Many requests renew tokens with the same single-use refresh token at the same time.
func TestOneOfManyRenewalsSucceeds(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, data string) {
		a := openOAuth(t, sandbox.Options{Data: data, Assumptions: map[string]string{"oauth.refresh": "replaced"}})
		refresh := a.firstRefreshToken(t)
		var all sync.WaitGroup
		var good atomic.Int32
		for range 32 {
			all.Go(func() {
				a.requestToken(t, "grant_type=client_credentials").mustIssue(t)
				switch g := a.requestToken(t, "grant_type=refresh_token", "refresh_token="+refresh); {
				case g.status == 200:
					good.Add(1)
					if status := a.helloStatus(t, g.AccessToken); status != 200 {
						t.Errorf("status with the token of the successful renewal: %d", status)
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

func TestTokenLifetimeIsChecked(t *testing.T) {
	t.Parallel()
	for _, life := range []time.Duration{-time.Second, time.Millisecond} {
		if a, err := tryOpen(t, sandbox.Options{TokenLifetime: life}); err == nil || !strings.Contains(err.Error(), "at least one second") {
			t.Errorf("%v: %v", life, err)
			_ = a.Close()
		}
	}
}

// No request causes an internal failure of the token endpoint. An invalid request gets no token.
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
		if answer := a.postForm(t, body, formType); answer.status != 400 && answer.status != 401 || answer.AccessToken != "" {
			t.Fatalf("%d %s to %q", answer.status, answer.raw, body)
		}
	})
}
