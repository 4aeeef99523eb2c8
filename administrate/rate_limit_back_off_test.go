package administrate

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oppflow/oppflow/administrate/transport"
)

// rateLimitedTransport is a transport that counts the requests, and returns 429 as long as the test
// does not switch the 429 off.
type rateLimitedTransport struct {
	refusing          atomic.Bool
	refused, answered atomic.Int32
	first             atomic.Int64 // the time of the first response other than 429, in Unix nanoseconds
	after             string
}

func (l *rateLimitedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	answer := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(successBody)), Request: r}
	if !l.refusing.Load() {
		l.first.CompareAndSwap(0, time.Now().UnixNano())
		l.answered.Add(1)
		return answer, nil
	}
	l.refused.Add(1)
	if l.after != "" {
		answer.Header.Set("Retry-After", l.after)
	}
	answer.StatusCode, answer.Body = http.StatusTooManyRequests, http.NoBody
	return answer, nil
}

// TestOne429StopsTheProcess: the API's rate limit counts all requests from one IP address. So after
// one 429, the client sends no request until the end of the back-off.
func TestOne429StopsTheProcess(t *testing.T) {
	t.Parallel()
	for _, after := range []string{"", "1"} {
		synctest.Test(t, func(t *testing.T) {
			l := &rateLimitedTransport{after: after}
			c := client(t, "http://127.0.0.1/graphql", func(o *Options) { o.Transport, o.RequestsPerSecond, o.Burst = l, 5, 60 })
			begun := time.Now()
			l.refusing.Store(true)
			var notSent *NotSentError
			if err := addInterest(t.Context(), c); !errors.As(err, &notSent) || notSent.Reason != RateLimited {
				t.Fatalf("got %v", err)
			}
			l.refusing.Store(false)
			// If the context ends before the back-off ends, the call fails at once and the client
			// sends nothing.
			short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			if err := addInterest(short, c); !errors.As(err, &notSent) || notSent.Reason != Throttled {
				t.Errorf("got %v", err)
			}
			cancel()
			if err := addInterest(transport.WithSendDeadline(t.Context(), time.Now().Add(100*time.Millisecond)), c); !errors.As(err, &notSent) || notSent.Reason != Throttled {
				t.Errorf("got %v", err)
			}
			if took := time.Since(begun); took != 0 {
				t.Errorf("it took %s to tell them", took)
			}
			if n := l.answered.Load() + l.refused.Load(); n != 1 {
				t.Errorf("%d requests were sent during the pause", n-1)
			}
			var wait sync.WaitGroup
			for range 10 {
				wait.Go(func() {
					if err := addInterest(t.Context(), c); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
			if l.answered.Load() != 10 || l.refused.Load() != 1 {
				t.Errorf("%d answered, %d refused", l.answered.Load(), l.refused.Load())
			}
			quiet := 500 * time.Millisecond // the shortest back-off after a 429 without Retry-After
			if after != "" {
				quiet = time.Second
			}
			if first := time.Unix(0, l.first.Load()).Sub(begun); first < quiet {
				t.Errorf("the first request was sent after %s; want a pause of %s at least", first, quiet)
			}
			if took := time.Since(begun); took < 1600*time.Millisecond {
				t.Errorf("ten requests at 5 a second took %s with the pause", took)
			}
		})
	}
}
