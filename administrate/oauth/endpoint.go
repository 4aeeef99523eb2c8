package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/sync/singleflight"

	"github.com/oppflow/oppflow/administrate/http1"
)

// RefreshTokens stores the refresh token that an Endpoint uses for the refresh token grant. Several
// processes may use and replace the same stored refresh token. The text of each error that a method
// of RefreshTokens returns must be one line without secrets.
type RefreshTokens interface {
	// RefreshToken returns the newest refresh token. The Endpoint calls RefreshToken before every
	// renewal. The Endpoint calls RefreshToken once more when the token endpoint does not accept
	// the refresh token.
	RefreshToken() (string, error)
	// The Endpoint calls Replaced when the token endpoint has issued the refresh token next in
	// place of the refresh token old. The Endpoint uses the new access token only after the call of
	// Replaced. After Replaced has returned, RefreshToken must return next. Replaced returns an
	// error if next is not stored, so that the token is lost when the process ends.
	Replaced(old, next string) error
}

// Options configure an Endpoint. TokenURL, ClientID and ClientSecret are required.
type Options struct {
	// TokenURL is the URL of the token endpoint, such as
	// https://auth.getadministrate.com/oauth/token (documented).
	TokenURL string
	// The Endpoint sends ClientID and ClientSecret as form parameters of the token request
	// (documented).
	ClientID, ClientSecret string
	// If RefreshTokens is not nil, the Endpoint uses the refresh token grant (documented). If
	// RefreshTokens is nil, the Endpoint uses the client credentials grant (documented).
	RefreshTokens RefreshTokens
	// Transport sends the token requests; nil selects the transport of http1.NewTransport.
	Transport http.RoundTripper
	// Timeout is the maximum duration of one renewal; 0 selects 15 s.
	Timeout time.Duration
	// The Endpoint calls OnFailure (if not nil) for every failed renewal, for every error of
	// RefreshTokens.Replaced, and whenever the API refuses several tokens in a row. The text of the
	// error passed to OnFailure is one line without secrets.
	OnFailure func(error)
	// Now is the clock that decides when tokens expire; nil selects time.Now.
	Now func() time.Time
}

// String hides the secrets from logs and error texts.
func (Options) String() string { return "[oauth]" }

// GoString hides the secrets from %#v.
func (Options) GoString() string { return "[oauth]" }

// OptionError says that one of the Options is missing or invalid, so NewEndpoint returns no
// Endpoint.
type OptionError struct {
	Option  string // such as "TokenURL"
	Problem string // what is wrong and what would be right, without the value
}

// Error returns the name of the option and the problem.
func (e *OptionError) Error() string { return "administrate/oauth: " + e.Option + ": " + e.Problem }

const (
	longestMargin  = time.Minute
	marginDivisor  = 10
	firstBackOff   = time.Second
	longestBackOff = time.Minute
	// If the API refuses an access token within minTokenAge after the renewal, the API probably
	// never accepted this token.
	minTokenAge = time.Minute
)

// Endpoint is a TokenSource that gets its tokens from the token endpoint. Endpoint is safe for
// concurrent use, so one Endpoint is enough for a process.
//
// The time between the renewal and the expiry of a token is one minute or a tenth of the token's
// life, whichever is shorter. Token returns the old token until the expiry of the old token, so a
// caller waits for a renewal only after this expiry. If several callers need a token at the same
// time, the Endpoint sends one token request for all of them. A token request continues even if the
// caller that started the request gives up. After a failed renewal the Endpoint sends no request
// for a back-off of 1 s. The back-off doubles after each further failure, up to one minute. If the
// old token has expired and a back-off is not over, Token returns the error of the last renewal.
//
// The rate limit bucket of a Client does not delay the requests of an Endpoint, because the token
// endpoint has another host, for which no rate limit is documented.
type Endpoint struct {
	options  Options
	endpoint string // the address of the token endpoint as errors show it
	client   *http.Client
	renewals singleflight.Group

	mu            sync.Mutex
	cached        accessToken
	rejectedToken string // the last token that the API refused
	// rejections is the number of tokens in a row that the API refused within minTokenAge after the
	// renewal.
	rejections int
	// failure is the error of the last failed renewal, or the error that the API refused several
	// tokens in a row. failures is the number of failed renewals in a row.
	failure      *TokenError
	failures     int
	backOffUntil time.Time
}

// The zero value of accessToken means that no token is available.
type accessToken struct {
	token           string
	requestedAt     time.Time
	renewAt, expiry time.Time // both zero when the token endpoint returned no expiry
}

// NewEndpoint returns an Endpoint and sends no request. NewEndpoint fails with OptionError.
func NewEndpoint(o Options) (*Endpoint, error) {
	endpoint, err := url.Parse(o.TokenURL)
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "http" && endpoint.Scheme != "https" {
		return nil, &OptionError{
			Option:  "TokenURL",
			Problem: "the value is not an HTTP address; give an address such as https://auth.getadministrate.com/oauth/token",
		}
	}
	if endpoint.User != nil {
		return nil, &OptionError{Option: "TokenURL", Problem: "the address contains a user or a password; give the credentials as ClientID and ClientSecret"}
	}
	if o.ClientID == "" {
		return nil, &OptionError{Option: "ClientID", Problem: "the client id is missing"}
	}
	if o.ClientSecret == "" {
		return nil, &OptionError{Option: "ClientSecret", Problem: "the client secret is missing"}
	}
	if o.Timeout < 0 {
		return nil, &OptionError{Option: "Timeout", Problem: "the time-out is negative; use 0 for the default"}
	}
	if o.Timeout == 0 {
		o.Timeout = 15 * time.Second
	}
	if o.Transport == nil {
		o.Transport = http1.NewTransport(nil)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Endpoint{
		options:  o,
		endpoint: endpoint.Scheme + "://" + endpoint.Host + endpoint.EscapedPath(),
		client: &http.Client{
			Transport: o.Transport,
			// If the HTTP client followed a redirect, the client would send the client secret to
			// another URL.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// String hides the secrets from logs and error texts.
func (*Endpoint) String() string { return "[oauth]" }

// GoString hides the secrets from %#v.
func (*Endpoint) GoString() string { return "[oauth]" }

// Token returns an access token that has not expired. If no token is available, Token returns a
// TokenError. If the context ends before a token is available, Token returns the context's error.
func (o *Endpoint) Token(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	token, due, err := o.current()
	switch {
	case err != nil:
		return "", err
	case !due:
		return token, nil
	}
	renewed := o.renewals.DoChan("", func() (any, error) { return o.renew(context.WithoutCancel(ctx)) })
	if token != "" {
		return token, nil
	}
	select {
	case result := <-renewed:
		if result.Err != nil {
			return "", result.Err
		}
		token, _ = result.Val.(string)
		return token, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// current returns the cached token, or "" if the cached token has expired; due reports whether the
// Endpoint must renew the token now.
func (o *Endpoint) current() (token string, due bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.options.Now().Round(0)
	paused := o.failure != nil && now.Before(o.backOffUntil)
	if o.cached.token != "" && (o.cached.expiry.IsZero() || now.Before(o.cached.expiry)) {
		token = o.cached.token
		due = !o.cached.renewAt.IsZero() && !now.Before(o.cached.renewAt)
	} else {
		due = true
		if paused {
			err = o.failure
		}
	}
	return token, due && !paused, err
}

func (o *Endpoint) renew(ctx context.Context) (string, error) {
	token, due, err := o.current()
	if err != nil || !due {
		return token, err
	}
	asked := o.options.Now().Round(0)
	answer, err := o.request(ctx)

	o.mu.Lock()
	var failed *TokenError
	if err == nil {
		failed = o.store(answer, asked)
	} else {
		failed = o.tokenErrorOf(err)
	}
	if failed != nil {
		o.failures++
		o.beginBackOff(failed, o.failures)
	}
	token = o.cached.token
	o.mu.Unlock()
	if failed != nil {
		o.report(failed)
		return "", failed
	}
	return token, nil
}

// If the token endpoint refuses the refresh token and RefreshTokens has a newer one from another
// process, request tries once more with the newer token.
func (o *Endpoint) request(ctx context.Context) (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, oauth2.HTTPClient, o.client), o.options.Timeout)
	defer cancel()
	// With AuthStyleInParams, package oauth2 does not repeat the request with another style of
	// client authentication.
	if o.options.RefreshTokens == nil {
		return (&clientcredentials.Config{
			ClientID: o.options.ClientID, ClientSecret: o.options.ClientSecret,
			TokenURL: o.options.TokenURL, AuthStyle: oauth2.AuthStyleInParams,
		}).Token(ctx)
	}
	config := oauth2.Config{
		ClientID: o.options.ClientID, ClientSecret: o.options.ClientSecret,
		Endpoint: oauth2.Endpoint{TokenURL: o.options.TokenURL, AuthStyle: oauth2.AuthStyleInParams},
	}
	used := ""
	for {
		refresh, err := o.options.RefreshTokens.RefreshToken()
		switch {
		case err != nil:
			return nil, &TokenError{Reason: Authentication, Problem: "the refresh token cannot be read: " + err.Error(), cause: err}
		case refresh == "":
			return nil, &TokenError{Reason: Authentication, Problem: "the refresh token is empty"}
		}
		token, err := config.TokenSource(ctx, &oauth2.Token{RefreshToken: refresh}).Token()
		if err == nil && token.RefreshToken != refresh {
			if err := o.options.RefreshTokens.Replaced(refresh, token.RefreshToken); err != nil {
				o.report(err)
			}
		}
		if used != "" || oauthErrorCode(err) != "invalid_grant" {
			return token, err
		}
		used = refresh
		if next, again := o.options.RefreshTokens.RefreshToken(); again != nil || next == used {
			return nil, err
		}
	}
}

// The token's life begins at asked, the time of the request, because the response may arrive much
// later.
func (o *Endpoint) store(answer *oauth2.Token, asked time.Time) *TokenError {
	useless := func(reason Reason, problem string) *TokenError {
		return &TokenError{Reason: reason, Problem: o.endpoint + ": " + problem}
	}
	life := time.Duration(answer.ExpiresIn) * time.Second
	if life == 0 && !answer.Expiry.IsZero() {
		life = time.Until(answer.Expiry) // a response that is not JSON sets only Expiry
	}
	switch {
	case answer.Type() != "Bearer":
		return useless(Unreachable, "the token endpoint returned a token that is not a Bearer token")
	case !http1.IsHeaderSafe(answer.AccessToken):
		return useless(Unreachable, "the token endpoint returned a token that an HTTP header cannot contain")
	case life < 0:
		return useless(Unreachable, "the token endpoint returned a token that has expired")
	case answer.AccessToken == o.rejectedToken:
		return useless(Authentication, "the API rejected an access token, and the token endpoint returned the same token again")
	}
	o.cached = accessToken{token: answer.AccessToken, requestedAt: asked}
	if life > 0 {
		o.cached.expiry = asked.Add(life)
		o.cached.renewAt = o.cached.expiry.Add(-min(longestMargin, life/marginDivisor))
	}
	o.failure, o.failures = nil, 0
	return nil
}

// Accepted records that the API has accepted the token, and sets the count of refused tokens to 0.
func (o *Endpoint) Accepted(token string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if token == o.cached.token {
		o.rejections = 0
	}
}

// Invalidate removes the token from the cache, so the next call of Token requests a new token. If
// the API refuses several new tokens in a row, Invalidate starts a back-off, during which the
// Endpoint sends no token request.
func (o *Endpoint) Invalidate(token string) {
	o.mu.Lock()
	if token == "" || token != o.cached.token {
		o.mu.Unlock()
		return
	}
	if o.options.Now().Sub(o.cached.requestedAt) >= minTokenAge {
		o.rejections = 0
	}
	o.rejections++
	o.cached, o.rejectedToken = accessToken{}, token
	var failed *TokenError
	if o.rejections > 1 {
		failed = &TokenError{Reason: Authentication, Problem: "the API rejects every new token of the token endpoint " + o.endpoint}
		o.beginBackOff(failed, o.rejections-1)
	}
	o.mu.Unlock()
	if failed != nil {
		o.report(failed)
	}
}

func (o *Endpoint) beginBackOff(failed *TokenError, times int) {
	pause := longestBackOff
	if times < 7 {
		pause = min(pause, firstBackOff<<(times-1))
	}
	o.failure, o.backOffUntil = failed, o.options.Now().Round(0).Add(max(pause, failed.retryAfter))
}

func (o *Endpoint) report(err error) {
	if o.options.OnFailure != nil {
		o.options.OnFailure(err)
	}
}

// oauthErrorCode returns the error code in a response of the token endpoint (RFC 6749, section
// 5.2). For an error code that RFC 6749 does not list, oauthErrorCode returns "", because such a
// code may quote the request.
func oauthErrorCode(err error) string {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		return ""
	}
	switch answer.ErrorCode {
	case "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope":
		return answer.ErrorCode
	}
	return ""
}

// tokenErrorOf converts err to a TokenError whose text quotes nothing from a response.
func (o *Endpoint) tokenErrorOf(err error) *TokenError {
	var own *TokenError
	if errors.As(err, &own) {
		return own
	}
	failed := &TokenError{Reason: Unreachable, cause: http1.NetworkCause(err)}
	var answer *oauth2.RetrieveError
	var sending *url.Error
	switch {
	case errors.As(err, &answer):
		status := answer.Response.StatusCode
		said := fmt.Sprintf("the token endpoint returned HTTP %d", status)
		if code := oauthErrorCode(err); code != "" {
			said = fmt.Sprintf("the token endpoint returned %s (HTTP %d)", code, status)
			failed.Reason = Authentication
			if advice := adviceFor(code); advice != "" {
				said += "; " + advice
			}
		}
		switch status {
		case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
			failed.Reason = Authentication
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			failed.Reason, failed.retryAfter = Unreachable, min(http1.RetryAfter(answer.Response), longestRetryAfter)
		}
		failed.Problem = o.endpoint + ": " + said
	case errors.As(err, &sending) && sending.Timeout():
		failed.Problem = o.endpoint + ": the token endpoint did not respond in time"
	case failed.cause != nil:
		failed.Problem = o.endpoint + ": the token endpoint cannot be reached: " + strings.Join(strings.Fields(failed.cause.Error()), " ")
	case sending != nil:
		failed.Problem = o.endpoint + ": the token endpoint cannot be reached" // other parts of the error may quote received data
	default:
		failed.Problem = o.endpoint + ": the response of the token endpoint contains no access token"
	}
	return failed
}

// longestRetryAfter is the longest back-off that the Endpoint accepts from the header Retry-After
// of the token endpoint.
const longestRetryAfter = 5 * time.Minute

func adviceFor(code string) string {
	switch code {
	case "invalid_client":
		return "check the client id and the client secret"
	case "invalid_grant":
		return "the refresh token is no longer valid; authorise the application again"
	case "unauthorized_client", "unsupported_grant_type":
		return "the OAuth client is not allowed to use this grant type"
	}
	return ""
}
