package sandbox

import (
	"context"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/store"
)

const (
	// authorizePath is the path of the vendor's authorization endpoint (documented).
	authorizePath = "/oauth/authorize"
	// RFC 6749 (section 4.1.2) recommends a lifetime of at most ten minutes for an authorization
	// code.
	codeLifetime = 10 * time.Minute
)

// authorizeEndpoint sends a user back to the application with an authorization code (RFC 6749,
// section 4.1.1). The sandbox treats every user as having consented, so the endpoint redirects
// without a consent page.
type authorizeEndpoint struct {
	sandbox   *Sandbox
	redirects []string
	log       *slog.Logger
}

func (e authorizeEndpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	// If client_id or redirect_uri is wrong, the endpoint shows an error page to the user. A
	// redirect could send the user to an address that does not belong to the application.
	if !equalConstantTime(query.Get("client_id"), e.sandbox.clientID) {
		writeRefusalPage(w, "The application is unknown: client_id is not the client id of the sandbox.")
		return
	}
	redirect := query.Get("redirect_uri")
	if redirect == "" && len(e.redirects) > 0 && e.sandbox.choices.Is(assumptions.OAuthAuthorize, "optional") {
		redirect = e.redirects[0]
	}
	back, err := url.Parse(redirect)
	if err != nil || !e.isAllowed(redirect, back) {
		writeRefusalPage(w, "redirect_uri is missing or is not a registered redirect URI of the application.")
		return
	}
	answer := back.Query()
	if state := query.Get("state"); state != "" {
		answer.Set("state", state)
	}
	if query.Get("response_type") != "code" {
		answer.Set("error", "unsupported_response_type")
	} else {
		code, err := randomToken()
		if err == nil {
			err = e.sandbox.store.AddCode(r.Context(), code, redirect, codeLifetime)
		}
		if err != nil {
			e.log.ErrorContext(r.Context(), "an authorization code could not be created", "error", err)
			answer.Set("error", "server_error")
		} else {
			answer.Set("code", code)
		}
	}
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// If redirect addresses are registered, the address must equal a registered address (documented).
func (e authorizeEndpoint) isAllowed(text string, u *url.URL) bool {
	if len(e.redirects) > 0 {
		return slices.Contains(e.redirects, text)
	}
	ip := net.ParseIP(u.Hostname())
	return (u.Scheme == "http" || u.Scheme == "https") && u.Fragment == "" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

func writeRefusalPage(w http.ResponseWriter, what string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = w.Write([]byte("<!doctype html><title>Not authorized</title><p>" + template.HTMLEscapeString(what)))
}

func (e tokenEndpoint) exchangeCode(ctx context.Context, form url.Values, reply tokenReply) (tokenReply, tokenRefusal, error) {
	redirect := form.Get("redirect_uri")
	if form.Get("code") == "" || redirect == "" && e.sandbox.choices.Is(assumptions.OAuthRedirect, "required") {
		return tokenReply{}, newTokenRefusal("invalid_request", "the form must contain code; with the value required of the assumption oauth.redirect, the form must also contain redirect_uri"), nil
	}
	var err error
	if reply.RefreshToken, err = randomToken(); err != nil {
		return tokenReply{}, tokenRefusal{}, err
	}
	good, err := e.sandbox.store.ExchangeCode(ctx, form.Get("code"), redirect, store.Exchange{
		AccessToken: reply.AccessToken, Lifetime: e.lifetime, RefreshToken: reply.RefreshToken,
	})
	if err == nil && !good {
		return tokenReply{}, newTokenRefusal("invalid_grant", "the authorization code is unknown, was already used, has expired or belongs to another redirect_uri"), nil
	}
	return reply, tokenRefusal{}, err
}
