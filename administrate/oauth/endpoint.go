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

// RefreshTokens keeps the token of the refresh token grant. Other processes may share and replace
// the token. Each returned error must have a text of one line without secrets.
type RefreshTokens interface {
	// RefreshToken returns the newest token. The Endpoint calls RefreshToken before every renewal,
	// and once more when the endpoint does not accept the token.
	RefreshToken() (string, error)
	// Replaced is called when the endpoint has replaced the refresh token old by next. The Endpoint
	// uses the access token of the same response only after this call. After this call,
	// RefreshToken must return next. An error says that next is lost when the process ends.
	Replaced(old, next string) error
}

// Options configure an Endpoint. TokenURL, ClientID and ClientSecret are required.
type Options struct {
	// TokenURL of the token endpoint, such as
	// https://auth.getadministrate.com/oauth/token (documented).
	TokenURL string
	// ClientID and ClientSecret are sent in the form (documented).
	ClientID, ClientSecret string
	// RefreshTokens, when given, selects the refresh token grant. Without RefreshTokens, the grant
	// is client credentials (both grants are documented).
	RefreshTokens RefreshTokens
	// Transport sends the requests; nil selects HTTP/1.1 with its own time-outs.
	Transport http.RoundTripper
	// Timeout is the most time one request may take; 0 is 15 s.
	Timeout time.Duration
	// OnFailure, when given, is called for every failed renewal, for an error of
	// RefreshTokens.Replaced, and when the API refuses several tokens in a row. The error's text is
	// one line without secrets.
	OnFailure func(error)
	// Now is the clock that decides when tokens expire; nil selects time.Now.
	Now func() time.Time
}

// String hides the secrets from logs and error texts.
func (Options) String() string { return "[oauth]" }

// GoString hides the secrets from %#v.
func (Options) GoString() string { return "[oauth]" }

// OptionError says that an Endpoint cannot be made from the options.
type OptionError struct {
	Option  string // such as "TokenURL"
	Problem string // the problem and the right form, without the value
}

// Error shows the option and the problem.
func (e *OptionError) Error() string { return "administrate/oauth: " + e.Option + ": " + e.Problem }

const (
	// A token is renewed before its expiry, by longestMargin or by its life divided by
	// marginDivisor, whichever is shorter.
	longestMargin = time.Minute
	marginDivisor = 10
	// The back-offs after failures double from the first to the longest.
	firstBackOff   = time.Second
	longestBackOff = time.Minute
	// If the API refuses a token before this age, the token probably was never valid.
	minTokenAge = time.Minute
)

// Endpoint is a TokenSource that gets its tokens from the token endpoint. Endpoint is safe for
// concurrent use; share one Endpoint in a process.
//
// A token is renewed before its expiry, by one minute or by a tenth of its life, whichever is
// shorter. Callers use the old token until it expires, so a caller waits only when no token is
// left. All callers that need a token at the same time wait for the same request. The request
// continues when the caller that started it gives up. The back-off after failures is 1 s, then 2 s,
// 4 s and so on, at most a minute. During a back-off the Endpoint sends no request. If no token is
// left, Token returns the failure.
//
// The requests of an Endpoint do not pass the bucket of a Client. The documented limit is for the
// API's address. No limit is documented for the endpoint's address, and an Endpoint sends only a
// few requests in an hour.
type Endpoint struct {
	options  Options
	endpoint string // the endpoint as shown in errors
	client   *http.Client
	renewals singleflight.Group

	mu            sync.Mutex
	cached        accessToken
	rejectedToken string // the last token that the API did not accept
	// How many tokens in a row the API refused before minTokenAge.
	rejections int
	// failure is the last failure, failures is the number of failures in a row, and backOffUntil is
	// the end of the back-off.
	failure      *TokenError
	failures     int
	backOffUntil time.Time
}

// accessToken is an access token. The zero value is none.
type accessToken struct {
	token           string
	requestedAt     time.Time
	renewAt, expiry time.Time // zero when the endpoint named no expiry
}

// NewEndpoint makes an Endpoint; it sends nothing. It fails with OptionError.
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
			// If the client followed a redirect, it would send the secret to another address.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// String hides the secrets from logs and error texts.
func (*Endpoint) String() string { return "[oauth]" }

// GoString hides the secrets from %#v.
func (*Endpoint) GoString() string { return "[oauth]" }

// Token returns a token that has not expired. Token fails with TokenError, or with the context's
// error when the context ends first.
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

// current returns the cached token, if the token has not expired, and whether a renewal is due now.
// If there is no token during a back-off, current returns the failure.
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

// renew renews the token. If another caller has just renewed the token, renew returns the new token
// without a request. During the back-off after a failed renewal, renew sends no request either.
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

// request sends one request. If the endpoint does not accept the refresh token, and another process
// has replaced this refresh token, request sends a second request.
func (o *Endpoint) request(ctx context.Context) (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, oauth2.HTTPClient, o.client), o.options.Timeout)
	defer cancel()
	// With AuthStyleInParams the library sends no second request to find out the style.
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

// store keeps the token from the response, unless the token is useless. asked is the time of
// the request, so that a slow response does not lengthen the token's life.
func (o *Endpoint) store(answer *oauth2.Token, asked time.Time) *TokenError {
	useless := func(reason Reason, problem string) *TokenError {
		return &TokenError{Reason: reason, Problem: o.endpoint + ": " + problem}
	}
	life := time.Duration(answer.ExpiresIn) * time.Second
	if life == 0 && !answer.Expiry.IsZero() {
		life = time.Until(answer.Expiry) // the response is not JSON
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

// Accepted records that the API accepted the token, and resets the count of refused tokens.
func (o *Endpoint) Accepted(token string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if token == o.cached.token {
		o.rejections = 0
	}
}

// Invalidate drops the cached token, so the next call of Token requests a new token. A token that
// is no longer cached changes nothing. If the API refuses one new token after another, the Endpoint
// backs off between its requests to the endpoint.
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

// oauthErrorCode returns the error code of an endpoint's response (RFC 6749, 5.2). oauthErrorCode
// returns "" for a code that RFC 6749 does not name, because such a text may quote the request.
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

// tokenErrorOf returns err as a TokenError whose text quotes nothing from a response.
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
		failed.Problem = o.endpoint + ": the token endpoint cannot be reached" // the rest of the error may quote received data
	default:
		failed.Problem = o.endpoint + ": the response of the token endpoint contains no access token"
	}
	return failed
}

// longestRetryAfter is the longest back-off that an endpoint can request with Retry-After.
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
