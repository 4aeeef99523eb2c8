// Package oauth provides the access tokens of API requests.
package oauth

import (
	"context"
	"time"
)

// TokenSource returns the access token for an API request. A TokenSource must cache the token,
// because the client calls Token before every API request.
type TokenSource interface {
	Token(ctx context.Context) (string, error)
}

// TokenInvalidator is an interface that a TokenSource may implement in addition. If the API returns
// 401 to a request, the client calls Invalidate with the token of this request. If the API returns
// 200 to a request, the client calls Accepted with the token of this request. The client does not
// repeat a request to which the API returned 401.
type TokenInvalidator interface {
	Invalidate(token string)
	Accepted(token string)
}

// Reason says why a TokenSource cannot return a token.
type Reason string

// The reasons of a TokenError.
const (
	// Authentication means that the token endpoint did not accept the credentials, or that the API
	// refuses the tokens of the token endpoint.
	Authentication Reason = "authentication"
	// Unreachable means that the token endpoint returned no usable response.
	Unreachable Reason = "unreachable"
)

// TokenError says why a TokenSource has no token.
type TokenError struct {
	Reason Reason
	// Problem is one line without secrets.
	Problem string

	retryAfter time.Duration // the waiting time that the token endpoint requested
	cause      error
}

// Error returns the problem as text.
func (e *TokenError) Error() string { return "no access token: " + e.Problem }

// Unwrap returns the wrapped error or nil.
func (e *TokenError) Unwrap() error { return e.cause }

// StaticToken is a TokenSource that always returns the same token.
type StaticToken string

// Token returns the token itself.
func (t StaticToken) Token(context.Context) (string, error) { return string(t), nil }

// String hides the token from logs and error texts.
func (t StaticToken) String() string { return "[token]" }

// GoString hides the token from %#v.
func (t StaticToken) GoString() string { return "[token]" }
