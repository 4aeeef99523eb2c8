package transport

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// firstBackOff is the first back-off after a 429 without the header Retry-After, and longestBackOff
// is the longest. Each further back-off is twice as long; longestBackOff is the period of the
// documented rate limit.
const (
	firstBackOff   = time.Second
	longestBackOff = windowSeconds * time.Second
)

var errBackingOff = errors.New("administrate: the request was not sent: the API returned HTTP 429 (too many requests) to an earlier request, and the back-off ends after the deadline of the request")

// rateLimitBackOff delays all requests of a Client after the API has returned 429. The API's rate
// limit counts all requests from one IP address (documented), so during a back-off, the API would
// refuse every request of the Client. The zero value of rateLimitBackOff delays nothing. A
// rateLimitBackOff is safe for concurrent use by several goroutines.
type rateLimitBackOff struct {
	mu         sync.Mutex
	begin      time.Time
	until      time.Time
	nextLength time.Duration
}

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

// onRateLimited starts or lengthens the back-off after a 429; sent is the time at which the request
// was sent. The parameter after is the waiting time in the header Retry-After, or 0 if the 429 had
// no such header. If after is 0 and the request was sent before the current back-off began,
// onRateLimited changes nothing.
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
		// The length of the back-off is partly random, so that several processes behind one IP
		// address do not continue at the same moment.
		length = p.nextLength/2 + rand.N(p.nextLength/2) //nolint:gosec // it decides no secret
	}
	if until := now.Add(length); until.After(p.until) {
		p.begin, p.until = now, until
	}
}

// If the request was sent after the last back-off, onNotRateLimited makes the next back-off short
// again.
func (p *rateLimitBackOff) onNotRateLimited(sent time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if sent.After(p.until) {
		p.nextLength = 0
	}
}
