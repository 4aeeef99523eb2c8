package transport

import (
	"context"
	"time"
)

type sendDeadlineKey struct{}

// WithSendDeadline sets the send deadline: the time by which a request with this context must be on
// the wire. The send deadline limits the waits for a token, for the rate limit and for a
// connection. After the send deadline, the request fails with a NotSentError. The Reason is
// Throttled if the client's rate limit delayed the request too long, or SendDeadlinePassed for any
// other delay. If the context already has an earlier send deadline, WithSendDeadline changes
// nothing. The send deadline does not limit the wait for the response; the context's deadline
// limits this wait.
func WithSendDeadline(ctx context.Context, t time.Time) context.Context {
	if earlier, ok := SendDeadline(ctx); ok && earlier.Before(t) {
		return ctx
	}
	// Without the monotonic clock reading, the send deadline is compared with the wall clock, which
	// is correct even if the machine slept.
	return context.WithValue(ctx, sendDeadlineKey{}, t.Round(0))
}

// SendDeadline returns the send deadline that WithSendDeadline set, and whether the context has a
// send deadline.
func SendDeadline(ctx context.Context) (time.Time, bool) {
	t, ok := ctx.Value(sendDeadlineKey{}).(time.Time)
	return t, ok
}
