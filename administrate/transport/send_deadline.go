package transport

import (
	"context"
	"time"
)

type sendDeadlineKey struct{}

// WithSendDeadline sets the time by which a request with this context must be on the wire. The time
// limits the wait for a token, for a turn and for a connection. The last check of the time is at
// the moment when the transport reads the first byte of the document. After the time, the request
// fails with a NotSentError. The Reason is SendDeadlinePassed, or Throttled when no turn came in
// time. If the context already has an earlier time, the earlier time stays. WithSendDeadline does
// not limit the wait for the response; use the context's deadline for this wait.
func WithSendDeadline(ctx context.Context, t time.Time) context.Context {
	if earlier, ok := SendDeadline(ctx); ok && earlier.Before(t) {
		return ctx
	}
	// Round strips the monotonic reading, so that the time is compared with the wall clock, also
	// after the machine slept.
	return context.WithValue(ctx, sendDeadlineKey{}, t.Round(0))
}

// SendDeadline returns the time set by WithSendDeadline.
func SendDeadline(ctx context.Context) (time.Time, bool) {
	t, ok := ctx.Value(sendDeadlineKey{}).(time.Time)
	return t, ok
}
