package sandbox_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/sandbox"
)

func (a *api) authorize(t testing.TB, parameters ...string) (status int, to *url.URL) {
	t.Helper()
	query := url.Values{"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {"http://localhost:9/back?a=b"}, "state": {"s t"}}
	for _, p := range parameters {
		name, value, _ := strings.Cut(p, "=")
		query.Set(name, value)
	}
	answer := a.send(t, http.MethodGet, "/oauth/authorize?"+query.Encode(), nil, http.Header{})
	to, err := url.Parse(answer.header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return answer.status, to
}

// Documented (API notes 1.1): there are two flows: authorization code for users who consent, and
// client credentials for servers. Documented (API notes 1.1): the parameters of the authorization
// URL are response_type=code, client_id, redirect_uri, state and, optionally, instance. Observed
// (API notes 1.1): when a client exchanges a code for tokens, the client sends its id and its
// secret. A request that exchanges a code for tokens need not contain redirect_uri. The response to
// this exchange contains a refresh token.
func TestAuthorizationCode(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := openOAuth(t, sandbox.Options{Now: now.Now})
	code := func(parameters ...string) string {
		t.Helper()
		status, to := a.authorize(t, parameters...)
		if status != 302 || to.Host != "localhost:9" || to.Query().Get("a") != "b" || to.Query().Get("state") != "s t" || to.Query().Get("code") == "" {
			t.Fatalf("%d %s", status, to)
		}
		return to.Query().Get("code")
	}
	one := code("instance=acme")
	got := a.requestToken(t, "grant_type=authorization_code", "code="+one).mustIssue(t)
	if got.RefreshToken == "" || a.helloStatus(t, got.AccessToken) != 200 {
		t.Errorf("answered %s", got.raw)
	}
	a.requestToken(t, "grant_type=refresh_token", "refresh_token="+got.RefreshToken).mustIssue(t)
	late := code()
	for name, answer := range map[string]tokens{
		"used before":          a.requestToken(t, "grant_type=authorization_code", "code="+one),
		"another redirect_uri": a.requestToken(t, "grant_type=authorization_code", "code="+late, "redirect_uri=http://localhost:9/other"),
		"another client":       a.requestToken(t, "grant_type=authorization_code", "code="+late, "client_secret=x"),
	} {
		if answer.status == 200 || answer.AccessToken != "" {
			t.Errorf("%s: %d %s", name, answer.status, answer.raw)
		}
	}
	a.requestToken(t, "grant_type=authorization_code", "code="+late, "redirect_uri=http://localhost:9/back?a=b").mustIssue(t)
	late = code()
	now.advance(10 * time.Minute)
	if answer := a.requestToken(t, "grant_type=authorization_code", "code="+late); answer.Error != "invalid_grant" {
		t.Errorf("expired: %d %s", answer.status, answer.raw)
	}
}

func TestAuthorizationIsRefused(t *testing.T) {
	t.Parallel()
	a := openOAuth(t, sandbox.Options{})
	for _, wrong := range []string{
		"client_id=other", "redirect_uri=", "redirect_uri=http://example.com/back", "redirect_uri=javascript:alert(1)", "redirect_uri=//localhost/x",
		"redirect_uri=http://localhost:9/#x", "redirect_uri=http://localhost.example.com/",
	} {
		if status, to := a.authorize(t, wrong); status != 400 || to.String() != "" {
			t.Errorf("%s: %d %s", wrong, status, to)
		}
	}
	if status, to := a.authorize(t, "response_type=token"); status != 302 || to.Query().Get("error") != "unsupported_response_type" || to.Query().Get("code") != "" {
		t.Errorf("%d %s", status, to)
	}
	// Documented (API notes 1.1): redirect_uri must equal the registered address.
	registered := openOAuth(t, sandbox.Options{RedirectURIs: []string{"https://shop.example.com/back"}})
	if status, to := registered.authorize(t, "redirect_uri=https://shop.example.com/back"); status != 302 || to.Host != "shop.example.com" {
		t.Errorf("%d %s", status, to)
	}
	for _, other := range []string{"http://localhost:9/back", "https://shop.example.com/back/", "https://shop.example.com/back?x=y"} {
		if status, _ := registered.authorize(t, "redirect_uri="+other); status != 400 {
			t.Errorf("%s: %d", other, status)
		}
	}
}

func TestOAuthAssumptions(t *testing.T) {
	t.Parallel()
	good := url.Values{"client_id": {clientID}, "client_secret": {clientSecret}, "grant_type": {"client_credentials"}}.Encode()
	for row, test := range map[string]struct {
		value string
		ask   func(a *api) int
		want  [2]int // the status with the default of the assumption, and the status with value
	}{
		"oauth.client": {"basic", func(a *api) int {
			basic, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
			basic.SetBasicAuth(clientID, clientSecret)
			header := formType.Clone()
			header.Set("Authorization", basic.Header.Get("Authorization"))
			return a.postForm(t, "grant_type=client_credentials", header).status
		}, [2]int{400, 200}},
		// Observed (API notes 1.1): at least one client sends the parameters of a token renewal in
		// the URL. No observation shows whether the API accepts the parameters in the URL.
		"oauth.query": {"taken", func(a *api) int {
			return a.send(t, http.MethodPost, "/oauth/token?"+good, nil, formType).status
		}, [2]int{400, 200}},
		"oauth.scope": {"any", func(a *api) int { return a.postForm(t, good+"&scope=admin", formType).status }, [2]int{400, 200}},
		"oauth.refusal": {"400", func(a *api) int {
			return a.requestToken(t, "grant_type=client_credentials", "client_secret=other").status
		}, [2]int{401, 400}},
		"oauth.redirect": {"required", func(a *api) int {
			_, to := a.authorize(t)
			return a.requestToken(t, "grant_type=authorization_code", "code="+to.Query().Get("code")).status
		}, [2]int{200, 400}},
		"oauth.authorize": {"optional", func(a *api) int {
			status, _ := a.authorize(t, "redirect_uri=")
			return status
		}, [2]int{400, 302}},
		"rejected.response": {"status-400", func(a *api) int { return a.post(t, `{ nothing }`, nil).status }, [2]int{200, 400}},
	} {
		for i, value := range []string{"", test.value} {
			o := sandbox.Options{RedirectURIs: []string{"http://localhost:9/back?a=b", "http://localhost:9/other"}}
			if value != "" {
				o.Assumptions = map[string]string{row: value}
			}
			if got := test.ask(openOAuth(t, o)); got != test.want[i] {
				t.Errorf("%s=%s: %d, want %d", row, value, got, test.want[i])
			}
		}
	}
	null := open(t, sandbox.Options{Assumptions: map[string]string{"rejected.response": "null"}})
	if answer := null.post(t, `{ nothing }`, nil); answer.status != 200 || !answer.hasData() || answer.Data != nil || len(answer.Errors) != 1 {
		t.Errorf("%d %s", answer.status, answer.raw)
	}
}
