package transport

import (
	"context"
	"time"
)

type sendDeadlineKey struct{}

// WithSendDeadline sets the time by which a request with this context must be on the wire. The
// time is checked when the request is made, while the request waits for its turn and for a
// connection, and last when the transport reads the first byte of the document. When the time
// has passed, the request fails with a NotSentError. The Reason is SendDeadlinePassed, or
// Throttled when no turn came in time. An earlier time in the context stays. WithSendDeadline
// does not limit the answer: for the answer use the context's deadline.
func WithSendDeadline(ctx context.Context, t time.Time) context.Context {
	if earlier, ok := SendDeadline(ctx); ok && earlier.Before(t) {
		return ctx
	}
	// Round strips the monotonic reading, so that the time counts on the wall clock, also
	// across a machine's sleep.
	return context.WithValue(ctx, sendDeadlineKey{}, t.Round(0))
}

// SendDeadline returns the time set by WithSendDeadline.
func SendDeadline(ctx context.Context) (time.Time, bool) {
	t, ok := ctx.Value(sendDeadlineKey{}).(time.Time)
	return t, ok
}
