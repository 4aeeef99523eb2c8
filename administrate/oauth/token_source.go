// Package oauth provides the access tokens of requests to the API: one that never changes, or
// those of the tenant's OAuth token endpoint. It knows nothing of GraphQL.
package oauth

import (
	"context"
	"time"
)

// TokenSource returns the access token of a request. It must cache, because it is called
// before every request. On an error nothing is sent.
type TokenSource interface {
	Token(ctx context.Context) (string, error)
}

// TokenInvalidator is an optional interface of a TokenSource. The client calls Invalidate for
// each token for which the API returned 401, and Accepted for each for which it returned
// 200. A request is not repeated.
type TokenInvalidator interface {
	Invalidate(token string)
	Accepted(token string)
}

// Reason says why there is no token.
type Reason string

// The reasons of a TokenError.
const (
	// Authentication: the endpoint did not accept the credentials, or the API accepts none of
	// the endpoint's tokens.
	Authentication Reason = "authentication"
	// Unreachable: the endpoint gave no usable answer.
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

// Unwrap returns the cause, if one is known. The cause may contain text from a RefreshTokens.
func (e *TokenError) Unwrap() error { return e.cause }

// StaticToken is a TokenSource of one token that never changes.
type StaticToken string

// Token returns the token itself.
func (t StaticToken) Token(context.Context) (string, error) { return string(t), nil }

// String hides the token from logs and error texts.
func (t StaticToken) String() string { return "[token]" }

// GoString hides the token from %#v.
func (t StaticToken) GoString() string { return "[token]" }
