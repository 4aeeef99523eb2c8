package oauth_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oppflow/oppflow/administrate/oauth"
)

type refreshTokens struct {
	mu       sync.Mutex
	newest   string
	replaced []string
	err      error
	missing  error
	next     func(asked int) string
	asked    int
}

func (r *refreshTokens) RefreshToken() (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	if r.next != nil {
		return r.next(r.asked), r.missing
	}
	return r.newest, r.missing
}

func (r *refreshTokens) Replaced(old, next string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.replaced = append(r.replaced, old+">"+next)
	r.newest = next
	return r.err
}

// TestRefreshTokenGrant: each renewal returns a new refresh token, and the next renewal uses this
// refresh token (observed, API notes 1.1). The Endpoint calls Replaced before Token returns the new
// access token.
func TestRefreshTokenGrant(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	e.respondWith(func(w http.ResponseWriter, n int32) {
		refresh := ""
		if n == 2 {
			refresh = `,"refresh_token":"second"`
		}
		_, _ = fmt.Fprintf(w, `{"access_token":"t-%d","token_type":"bearer","expires_in":3600%s}`, n, refresh)
	})
	kept := &refreshTokens{newest: "first", err: errors.New("not written")}
	o, c, reported := source(t, e.URL, func(options *oauth.Options) { options.RefreshTokens = kept })
	for i := range 3 {
		wantToken(t, o, fmt.Sprintf("t-%d", i+1))
		c.advance(time.Hour)
	}
	var used []string
	for _, form := range e.forms {
		if form.Get("grant_type") != "refresh_token" {
			t.Errorf("asked with %v", form)
		}
		used = append(used, form.Get("refresh_token"))
	}
	if got := strings.Join(used, " "); got != "first first second" {
		t.Errorf("used %s", got)
	}
	if got := strings.Join(kept.replaced, " "); got != "first>second" {
		t.Errorf("kept %s", got)
	}
	if got := reported(); len(got) != 1 || !errors.Is(got[0], kept.err) {
		t.Errorf("reported %v", got)
	}
}

// The Endpoint does not send a refresh token again that the token endpoint has refused.
func TestRefreshTokenOfAnotherProcess(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	e.respondWith(func(w http.ResponseWriter, _ int32) {
		e.mu.Lock()
		refresh := e.forms[len(e.forms)-1].Get("refresh_token")
		e.mu.Unlock()
		if refresh != "theirs" {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":"invalid_grant"}`)
			return
		}
		_, _ = io.WriteString(w, `{"access_token":"t","expires_in":3600}`)
	})
	shared := &refreshTokens{next: func(asked int) string {
		if asked == 1 {
			return "ours"
		}
		return "theirs"
	}}
	o, _, reported := source(t, e.URL, func(options *oauth.Options) { options.RefreshTokens = shared })
	wantToken(t, o, "t")
	wantRequests(t, e, 2)
	if got := reported(); len(got) > 0 {
		t.Errorf("reported %v", got)
	}

	for name, bad := range map[string]*refreshTokens{
		"stays bad":          {newest: "bad"},
		"ever another":       {next: func(asked int) string { return fmt.Sprint("bad", asked) }},
		"cannot be had":      {missing: errors.New("no such file")},
		"is an empty string": {},
	} {
		before := e.asked.Load()
		o, _, _ := source(t, e.URL, func(options *oauth.Options) { options.RefreshTokens = bad })
		_, err := o.Token(t.Context())
		var why *oauth.TokenError
		if !errors.As(err, &why) || why.Reason != oauth.Authentication || bad.missing != nil && !strings.Contains(err.Error(), "no such file") {
			t.Errorf("%s: %v", name, err)
		}
		if n := e.asked.Load() - before; n > 2 || name == "stays bad" && n != 1 {
			t.Errorf("%s: asked %d times", name, n)
		}
	}
}
