package administrate

import "context"

// TokenSource gives the access token of a request. It is asked before every
// request, so it must cache. An error means that nothing is sent
// (NotSentError, Authentication).
type TokenSource interface {
	Token(ctx context.Context) (string, error)
}

// StaticToken is a TokenSource of one token that never changes.
type StaticToken string

// Token gives the token itself.
func (t StaticToken) Token(context.Context) (string, error) { return string(t), nil }

// String hides the token from logs and error texts.
func (t StaticToken) String() string { return "[token]" }

// GoString hides the token from %#v.
func (t StaticToken) GoString() string { return "[token]" }
