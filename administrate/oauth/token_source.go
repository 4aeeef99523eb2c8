// Package oauth provides the access tokens of API requests. A StaticToken never changes. An
// Endpoint gets its tokens from the tenant's OAuth token endpoint.
package oauth

import (
	"context"
	"time"
)

// TokenSource returns the access token of a request. A TokenSource must cache the token, because
// the client calls Token before every request. If Token fails, the client does not send the
// request.
type TokenSource interface {
	Token(ctx context.Context) (string, error)
}

// TokenInvalidator is an optional interface of a TokenSource. The client calls Invalidate with a
// token after the API returned 401. The client calls Accepted with a token after the API returned
// 200. The client does not repeat a request.
type TokenInvalidator interface {
	Invalidate(token string)
	Accepted(token string)
}

// Reason says why there is no token.
type Reason string

// The reasons of a TokenError.
const (
	// Authentication means that the endpoint did not accept the credentials, or that the API
	// accepts none of the endpoint's tokens.
	Authentication Reason = "authentication"
	// Unreachable means that the endpoint returned no usable response.
	Unreachable Reason = "unreachable"
)

// TokenError says why a TokenSource has no token.
type TokenError struct {
	Reason Reason
	// Problem is one line without secrets.
	Problem string

	retryAfter time.Duration // requested by the endpoint
	cause      error
}

// Error shows the problem.
func (e *TokenError) Error() string { return "no access token: " + e.Problem }

// Unwrap returns the cause or nil. The cause may contain text from a RefreshTokens.
func (e *TokenError) Unwrap() error { return e.cause }

// StaticToken is a TokenSource of one token that never changes.
type StaticToken string

// Token returns the token itself.
func (t StaticToken) Token(context.Context) (string, error) { return string(t), nil }

// String hides the token from logs and error texts.
func (t StaticToken) String() string { return "[token]" }

// GoString hides the token from %#v.
func (t StaticToken) GoString() string { return "[token]" }
