package transport

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// firstBackOff and longestBackOff limit the back-off after a 429 that names no time; the documented
// API never names a time. The back-offs double from the first to the longest, which is the
// documented window.
const (
	firstBackOff   = time.Second
	longestBackOff = windowSeconds * time.Second
)

// errBackingOff says that the back-off after a 429 ends after the caller's deadline.
var errBackingOff = errors.New("administrate: the request was not sent: the API returned HTTP 429 (too many requests) to an earlier request, and the back-off ends after the deadline of the request")

// rateLimitBackOff delays all requests of a Client after the API has returned 429. The limit counts
// all requests from this address (documented), so the API would refuse the next request as well.
// The zero value delays nothing. A rateLimitBackOff is safe for concurrent use.
type rateLimitBackOff struct {
	mu         sync.Mutex
	begin      time.Time // when the back-off began
	until      time.Time // when the back-off ends
	nextLength time.Duration
}

// wait returns when there is no back-off. wait fails at once when the back-off ends after the
// context's deadline.
func (p *rateLimitBackOff) wait(ctx context.Context) error {
	for {
		p.mu.Lock()
		left := time.Until(p.until)
		p.mu.Unlock()
		if left <= 0 {
			return ctx.Err()
		}
		if by, bounded := ctx.Deadline(); bounded && time.Until(by) < left {
			return errBackingOff
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

func (p *rateLimitBackOff) isOver() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !time.Now().Before(p.until)
}

// onRateLimited records a 429 for a request that was sent at the given time. after is the time for
// which the API asks the client to send nothing, 0 when the API names no time. A request that was
// sent before the back-off began changes nothing, unless the API names a time.
func (p *rateLimitBackOff) onRateLimited(sent time.Time, after time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if sent.Before(p.begin) && after == 0 {
		return
	}
	now := time.Now()
	length := after
	if length == 0 {
		p.nextLength = min(max(2*p.nextLength, firstBackOff), longestBackOff)
		// The random part keeps processes behind one address from continuing at the same moment.
		length = p.nextLength/2 + rand.N(p.nextLength/2) //nolint:gosec // it decides no secret
	}
	if until := now.Add(length); until.After(p.until) {
		p.begin, p.until = now, until
	}
}

// onNotRateLimited records that the API did not return 429 to a request that was sent at the given
// time.
func (p *rateLimitBackOff) onNotRateLimited(sent time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if sent.After(p.until) {
		p.nextLength = 0
	}
}
