package administrate

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// The pauses after a 429 that names no time, as with the documented API. They double from
// the first to the longest, which is the documented window.
const (
	firstQuiet   = time.Second
	longestQuiet = windowSeconds * time.Second
)

// errPaused says that the pause after a 429 outlasts the caller's time.
var errPaused = errors.New("administrate: the API said that there are too many requests; the pause outlasts the request's time")

// pause holds back all requests of a Client after the API has answered a request with
// 429. The limit counts all requests from this address (documented), so the next request
// would only be refused as well. The zero value lets everything pass, and is safe for
// concurrent use.
type pause struct {
	mu    sync.Mutex
	from  time.Time // when the pause began
	until time.Time // when it ends
	next  time.Duration
}

// wait returns when there is no pause, and fails at once when the pause outlasts the
// context.
func (p *pause) wait(ctx context.Context) error {
	for {
		p.mu.Lock()
		left := time.Until(p.until)
		p.mu.Unlock()
		if left <= 0 {
			return ctx.Err()
		}
		if by, bounded := ctx.Deadline(); bounded && time.Until(by) < left {
			return errPaused
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

// over reports whether there is no pause.
func (p *pause) over() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !time.Now().Before(p.until)
}

// refused records a 429 for a request that was sent at the given time. after is how long
// the API asks for no requests, 0 when the API does not say. A request that was sent
// before the pause began says nothing new, unless the API names a time.
func (p *pause) refused(sent time.Time, after time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if sent.Before(p.from) && after == 0 {
		return
	}
	now := time.Now()
	length := after
	if length == 0 {
		p.next = min(max(2*p.next, firstQuiet), longestQuiet)
		// Processes that share the address must not all continue at the same moment.
		length = p.next/2 + rand.N(p.next/2) //nolint:gosec // it decides no secret
	}
	if until := now.Add(length); until.After(p.until) {
		p.from, p.until = now, until
	}
}

// passed records that a request that was sent at the given time was not refused.
func (p *pause) passed(sent time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if sent.After(p.until) {
		p.next = 0
	}
}
