package administrate

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// The pauses after a 429 that names no time, as the documented API's does not:
// doubling from the first to the longest, which is the documented window.
const (
	firstQuiet   = time.Second
	longestQuiet = windowSeconds * time.Second
)

// errPaused says that the pause after a 429 outlasts the caller's time.
var errPaused = errors.New("administrate: the API said that there are too many requests; the pause outlasts the request's time")

// pause keeps all requests of a Client back after the API has answered one with
// 429: the limit is one for all that leaves this address (documented), so the
// next request would only be refused as well. The zero value lets everything
// pass. It is safe for concurrent use.
type pause struct {
	mu    sync.Mutex
	from  time.Time // when the pause began
	until time.Time // when it ends
	next  time.Duration
}

// wait returns when there is no pause, or at once with an error when it outlasts
// the context.
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

// refused takes in that a request that was sent at the given time was answered
// with 429, and how long the API asks to be left alone, 0 when it does not say.
// Requests that were under way when the pause began tell nothing new.
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
		// Whoever shares the address does not come back in the same moment.
		length = p.next/2 + rand.N(p.next/2) //nolint:gosec // it decides no secret
	}
	if until := now.Add(length); until.After(p.until) {
		p.from, p.until = now, until
	}
}

// passed takes in that a request that was sent at the given time was not refused.
func (p *pause) passed(sent time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if sent.After(p.until) {
		p.next = 0
	}
}
