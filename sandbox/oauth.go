package sandbox

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/store"
)

// DefaultTokenLifetime is the default lifetime of access tokens (observed: expires_in is 3600 seconds).
const DefaultTokenLifetime = time.Hour

const (
	// tokenPath is the path of the vendor's token endpoint (documented).
	tokenPath = "/oauth/token"
	maxForm   = 64 << 10
	// scopeInstance is the only scope that clients should request (documented).
	scopeInstance = "instance"

	settingClientID     = "client_id"
	settingClientSecret = "client_secret"
)

// Client contains the credentials of the only client of the token endpoint.
type Client struct {
	ID, Secret string
	// RefreshToken is the newest refresh token of the user who has consented.
	RefreshToken string
}

// Client returns the client of the token endpoint, with the newest refresh token.
func (s *Sandbox) Client(ctx context.Context) (Client, error) {
	refresh, err := s.store.RefreshToken(ctx)
	if err != nil {
		return Client{}, fmt.Errorf("the refresh token could not be read: %w", err)
	}
	return Client{ID: s.clientID, Secret: s.clientSecret, RefreshToken: refresh}, nil
}

// setClient stores o.RefreshToken in the data file, but neither o.ClientID nor o.ClientSecret.
// After a restart, the data file shows whether o.RefreshToken is valid or was replaced.
func (s *Sandbox) setClient(ctx context.Context, o *Options) error {
	if o.TokenLifetime < 0 || o.TokenLifetime > 0 && o.TokenLifetime < time.Second {
		return fmt.Errorf("the token lifetime is %v, but must be at least one second", o.TokenLifetime)
	}
	var err error
	if s.clientID, err = s.persistedSetting(ctx, settingClientID, o.ClientID); err != nil {
		return err
	}
	if s.clientSecret, err = s.persistedSetting(ctx, settingClientSecret, o.ClientSecret); err != nil {
		return err
	}
	refresh := o.RefreshToken
	if refresh == "" {
		known, err := s.store.RefreshToken(ctx)
		if err != nil || known != "" {
			return err
		}
		if refresh, err = randomToken(); err != nil {
			return err
		}
	}
	return s.store.AddRefreshToken(ctx, refresh)
}

// persistedSetting returns the given value, or else the value in the data file, or else a new
// random value. persistedSetting stores only a random value.
func (s *Sandbox) persistedSetting(ctx context.Context, setting, given string) (string, error) {
	if given != "" {
		return given, nil
	}
	kept, err := s.store.Setting(ctx, setting)
	if err != nil || kept != "" {
		return kept, err
	}
	random, err := randomToken()
	if err != nil {
		return "", err
	}
	return random, s.store.SetSetting(ctx, setting, random)
}

func randomToken() (string, error) {
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		return "", fmt.Errorf("generate a token: %w", err)
	}
	return hex.EncodeToString(random), nil
}

// tokenEndpoint issues access tokens for the grants authorization code, client credentials and
// refresh token (RFC 6749, sections 4.1, 4.4 and 6).
type tokenEndpoint struct {
	sandbox  *Sandbox
	lifetime time.Duration
	log      *slog.Logger
}

// tokenReply is the response that contains a token (RFC 6749, section 5.1).
type tokenReply struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
}

// tokenRefusal is the response to a refused token request (RFC 6749, section 5.2).
type tokenRefusal struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`

	status int
}

func (e tokenEndpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	reply, refusal, err := e.issue(w, r)
	switch {
	case err != nil && r.Context().Err() != nil:
		return // the client has gone
	case err != nil:
		e.log.ErrorContext(r.Context(), "a request for a token failed", "error", err)
		writeToken(w, http.StatusInternalServerError, tokenRefusal{Code: "server_error", Description: errInternal.Error()})
	case refusal.Code != "":
		writeToken(w, refusal.status, refusal)
	default:
		writeToken(w, http.StatusOK, reply)
	}
}

func newTokenRefusal(code, description string) tokenRefusal {
	return tokenRefusal{Code: code, Description: description, status: http.StatusBadRequest}
}

func (e tokenEndpoint) clientRefusal() tokenRefusal {
	refusal := newTokenRefusal("invalid_client", "the form must contain the client_id and client_secret of the client")
	if !e.sandbox.choices.Is(assumptions.OAuthRefusal, "400") {
		refusal.status = http.StatusUnauthorized
	}
	return refusal
}

func (e tokenEndpoint) issue(w http.ResponseWriter, r *http.Request) (tokenReply, tokenRefusal, error) {
	form, refusal := e.readForm(w, r)
	if refusal.Code != "" {
		return tokenReply{}, refusal, nil
	}
	// The id and the secret are both compared in every request, so the response time does not
	// reveal which value is wrong.
	id, secret := equalConstantTime(form.Get("client_id"), e.sandbox.clientID), equalConstantTime(form.Get("client_secret"), e.sandbox.clientSecret)
	if !id || !secret {
		return tokenReply{}, e.clientRefusal(), nil
	}
	if scope := form.Get("scope"); scope != "" && scope != scopeInstance && !e.sandbox.choices.Is(assumptions.OAuthScope, "any") {
		return tokenReply{}, newTokenRefusal("invalid_scope", "the only scope is "+scopeInstance), nil
	}
	access, err := randomToken()
	if err != nil {
		return tokenReply{}, tokenRefusal{}, err
	}
	reply := tokenReply{AccessToken: access, TokenType: "Bearer", ExpiresIn: int64(e.lifetime / time.Second)}
	switch grant := form.Get("grant_type"); grant {
	case "client_credentials":
		return reply, tokenRefusal{}, e.sandbox.store.IssueAccessToken(r.Context(), access, e.lifetime)
	case "refresh_token":
		given := form.Get("refresh_token")
		if given == "" {
			return tokenReply{}, newTokenRefusal("invalid_request", "the form has no refresh_token"), nil
		}
		if reply.RefreshToken, err = randomToken(); err != nil {
			return tokenReply{}, tokenRefusal{}, err
		}
		good, err := e.sandbox.store.ExchangeRefreshToken(r.Context(), given, store.Exchange{
			AccessToken: access, Lifetime: e.lifetime, RefreshToken: reply.RefreshToken, SingleUse: e.sandbox.choices.Is(assumptions.OAuthRefresh, "replaced"),
		})
		if err == nil && !good {
			return tokenReply{}, newTokenRefusal("invalid_grant", "the refresh_token is unknown or was replaced by a newer refresh token"), nil
		}
		return reply, tokenRefusal{}, err
	case "authorization_code":
		return e.exchangeCode(r.Context(), form, reply)
	case "":
		return tokenReply{}, newTokenRefusal("invalid_request", "the form has no grant_type"), nil
	default:
		return tokenReply{}, newTokenRefusal("unsupported_grant_type", "the sandbox supports only the grant types authorization_code, client_credentials and refresh_token"), nil
	}
}

func (e tokenEndpoint) readForm(w http.ResponseWriter, r *http.Request) (url.Values, tokenRefusal) {
	invalid := func(description string) (url.Values, tokenRefusal) {
		return nil, newTokenRefusal("invalid_request", description)
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return invalid("the request must have the Content-Type application/x-www-form-urlencoded")
	}
	if r.URL.RawQuery != "" && !e.sandbox.choices.Is(assumptions.OAuthQuery, "taken") {
		return invalid("the parameters must be in the request body, not in the URL")
	}
	id, secret, basic := r.BasicAuth()
	basic = basic && e.sandbox.choices.Is(assumptions.OAuthHeader, "basic")
	if r.Header.Get("Authorization") != "" && !basic {
		return invalid("the client must send client_id and client_secret in the form, not in the header Authorization")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return invalid("the form in the request body cannot be parsed")
	}
	for name, values := range r.Form { // r.Form contains the parameters of the body and, if allowed, the parameters of the URL
		if len(values) > 1 {
			return invalid(fmt.Sprintf("the parameter %.40q occurs more than once", name))
		}
	}
	if basic {
		r.Form.Set("client_id", id)
		r.Form.Set("client_secret", secret)
	}
	return r.Form, tokenRefusal{}
}

func writeToken(w http.ResponseWriter, status int, body any) {
	encoded, err := json.Marshal(body)
	if err != nil {
		status, encoded = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(encoded) // an error means that the client has gone
}

func equalConstantTime(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

const authenticateHeader = `Bearer realm="Administrate Core GraphQL API"`

// bearerToken returns the Bearer token of a request, or "" if the request has no token.
func bearerToken(r *http.Request) string {
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(given)
}

// requireToken passes a request with a valid Bearer token to next. Valid tokens are Sandbox.Token,
// which never expires, and the unexpired access tokens of the token endpoint.
func (s *Sandbox) requireToken(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := bearerToken(r)
		if given != "" && equalConstantTime(given, s.token) {
			next.ServeHTTP(w, r)
			return
		}
		challenge := authenticateHeader
		if given != "" {
			good, err := s.store.IsAccessTokenValid(r.Context(), given)
			switch {
			case good:
				next.ServeHTTP(w, r)
				return
			case err != nil && !errors.Is(err, r.Context().Err()):
				log.ErrorContext(r.Context(), "the access token could not be read from the database", "error", err)
			}
			if err != nil {
				writeError(w, http.StatusInternalServerError, errInternal.Error())
				return
			}
			challenge += `, error="invalid_token"`
		}
		w.Header().Set("WWW-Authenticate", challenge)
		writeError(w, http.StatusUnauthorized, "the request needs the header Authorization: Bearer with a valid token")
	})
}
