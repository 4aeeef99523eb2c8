package transport

import (
	"context"
	"time"
)

type sendDeadlineKey struct{}

// WithSendDeadline sets the send deadline: the time by which a request with this context must be on
// the wire. The send deadline also limits how long the client waits for a token, for the rate limit
// and for a connection. If the send deadline passes before the request is on the wire, the request
// fails with a NotSentError. The Reason of this NotSentError is Throttled if the client's rate
// limit caused the delay, and SendDeadlinePassed in every other case. If ctx already has an earlier
// send deadline, WithSendDeadline returns ctx unchanged. The send deadline does not limit the wait
// for the response; the context's deadline limits this wait.
func WithSendDeadline(ctx context.Context, t time.Time) context.Context {
	if earlier, ok := SendDeadline(ctx); ok && earlier.Before(t) {
		return ctx
	}
	// Round(0) removes the monotonic clock reading, so the client compares the send deadline with
	// the wall clock, which is correct even after the machine slept.
	return context.WithValue(ctx, sendDeadlineKey{}, t.Round(0))
}

// SendDeadline returns the send deadline that WithSendDeadline set in ctx, and whether ctx has a
// send deadline.
func SendDeadline(ctx context.Context) (time.Time, bool) {
	t, ok := ctx.Value(sendDeadlineKey{}).(time.Time)
	return t, ok
}
