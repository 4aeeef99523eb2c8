package administrate

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oppflow/oppflow/administrate/transport"
)

// TestBucketCounts: with a bucket of n requests, the client sends exactly n requests at once, for
// all callers and operations together.
func TestBucketCounts(t *testing.T) {
	t.Parallel()
	var arrived atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived.Add(1)
		_, _ = io.WriteString(w, successBody)
	}))
	defer server.Close()
	const burst, callers = 23, 200
	c := client(t, server.URL, func(o *Options) { o.RequestsPerSecond, o.Burst = 1e-6, burst })
	begun := time.Now()
	ctx := transport.WithSendDeadline(t.Context(), begun.Add(time.Minute))
	var sent, throttled atomic.Int32
	var wait sync.WaitGroup
	for i := range callers {
		wait.Go(func() {
			var err error
			switch i % 3 {
			case 0:
				err = addInterest(ctx, c)
			case 1:
				_, err = c.Opportunity(ctx, "o")
			default:
				err = c.Hello(ctx)
			}
			var notSent *NotSentError
			switch {
			case errors.As(err, &notSent) && notSent.Reason == Throttled:
				throttled.Add(1)
			case errors.As(err, &notSent):
				t.Errorf("%v", err)
			default: // the request was sent; its response fits only one of the three operations
				sent.Add(1)
			}
		})
	}
	wait.Wait()
	if sent.Load() != burst || arrived.Load() != burst || throttled.Load() != callers-burst {
		t.Errorf("%d sent, %d arrived, %d throttled of %d with a burst of %d",
			sent.Load(), arrived.Load(), throttled.Load(), callers, burst)
	}
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("those who could not be served in time waited %v", took)
	}
}

// TestBucketWait: when the context of a waiting request ends, the request is not sent.
func TestBucketWait(t *testing.T) {
	t.Parallel()
	var arrived atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived.Add(1)
		_, _ = io.WriteString(w, successBody)
	}))
	defer server.Close()
	c := client(t, server.URL, func(o *Options) { o.RequestsPerSecond, o.Burst = 1e-6, 1 })
	if err := addInterest(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	err := addInterest(ctx, c)
	if got := outcomeOf(t, err); got != "not sent: throttled" || !errors.Is(err, context.Canceled) {
		t.Errorf("%s: %v", got, err)
	}
	if arrived.Load() != 1 {
		t.Errorf("%d arrived, want 1", arrived.Load())
	}
}

func TestInvalidSpendsNoTurn(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, successBody)
	}))
	defer server.Close()
	c := client(t, server.URL, func(o *Options) { o.RequestsPerSecond, o.Burst = 1e-6, 1 })
	for range 10 {
		if _, err := c.Progress(t.Context(), Progress{}); outcomeOf(t, err) != "invalid" {
			t.Fatal(err)
		}
	}
	if err := addInterest(transport.WithSendDeadline(t.Context(), time.Now().Add(time.Minute)), c); err != nil {
		t.Error(err)
	}
}
