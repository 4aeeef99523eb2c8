package administrate

import (
	"context"
	"time"
)

type sendByKey struct{}

// WithSendBy sets the time by which a request made with the context must be on
// the wire. It is checked when the request is made, while it waits for its turn
// and for a connection, and last when the transport asks for the first byte of
// the document. Passed there, the request fails with NotSentError: Expired,
// or Throttled when it was the bucket that could not give a turn in time.
// An earlier time set before stays. It says nothing about the answer: for
// that use the context's deadline.
func WithSendBy(ctx context.Context, t time.Time) context.Context {
	if earlier, ok := SendBy(ctx); ok && earlier.Before(t) {
		return ctx
	}
	// Round strips the monotonic reading: the time holds on the wall clock,
	// also across a machine's sleep.
	return context.WithValue(ctx, sendByKey{}, t.Round(0))
}

// SendBy gives the time set by WithSendBy.
func SendBy(ctx context.Context) (time.Time, bool) {
	t, ok := ctx.Value(sendByKey{}).(time.Time)
	return t, ok
}
