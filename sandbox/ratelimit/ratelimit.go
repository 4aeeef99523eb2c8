// Package ratelimit counts the requests of each client address against a limit.
package ratelimit

import (
	"sync"
	"time"
)

// The limit of the API (documented).
const (
	DefaultRequests = 6000
	DefaultPer      = 5 * time.Minute
)

// Limit is the number of requests that one address may make within the time Per. The zero value of
// Limit is the limit of the API.
type Limit struct {
	Requests int
	Per      time.Duration
	// Fixed counts the requests in fixed windows. A fixed window begins with the first request
	// after the end of the previous window. Without Fixed, the window is always the time Per before
	// the request.
	Fixed bool
	// CountRefused makes refused requests count against the limit.
	CountRefused bool
}

// Limiter counts requests against a limit and is safe for concurrent use.
type Limiter struct {
	limit   Limit
	mu      sync.Mutex
	windows map[string]*window
	swept   time.Time
}

// New returns a limiter.
func New(l Limit) *Limiter {
	if l.Requests <= 0 {
		l.Requests = DefaultRequests
	}
	if l.Per <= 0 {
		l.Per = DefaultPer
	}
	return &Limiter{limit: l, windows: make(map[string]*window)}
}

// window contains the times of the last requests of one address.
type window struct {
	times   []time.Time
	next    int
	started time.Time // of a fixed window
	count   int
}

// Take counts a request that the address sends at the time now. wait is the time until the limit
// allows one more request, or 0 if the request is within the limit.
func (q *Limiter) Take(address string, now time.Time) (wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sweep(now)
	w := q.windows[address]
	if w == nil {
		w = &window{started: now}
		q.windows[address] = w
	}
	if q.limit.Fixed {
		return w.fixed(q.limit, now)
	}
	return w.sliding(q.limit, now)
}

func (w *window) fixed(l Limit, now time.Time) time.Duration {
	if now.Sub(w.started) >= l.Per {
		w.started, w.count = now, 0
	}
	if w.count < l.Requests {
		w.count++
		return 0
	}
	if l.CountRefused {
		w.started = now
	}
	return l.Per - now.Sub(w.started)
}

func (w *window) sliding(l Limit, now time.Time) time.Duration {
	var wait time.Duration
	if len(w.times) == l.Requests {
		if oldest := w.times[w.next]; now.Sub(oldest) < l.Per {
			wait = l.Per - now.Sub(oldest)
		}
	}
	if wait > 0 && !l.CountRefused {
		return wait
	}
	if len(w.times) < l.Requests {
		w.times = append(w.times, now)
		return wait
	}
	w.times[w.next] = now
	w.next = (w.next + 1) % l.Requests
	return wait
}

func (q *Limiter) sweep(now time.Time) {
	if now.Sub(q.swept) < q.limit.Per {
		return
	}
	for address, w := range q.windows {
		if w.last().Add(q.limit.Per).Before(now) {
			delete(q.windows, address)
		}
	}
	q.swept = now
}

func (w *window) last() time.Time {
	if len(w.times) == 0 {
		return w.started
	}
	return w.times[(w.next+len(w.times)-1)%len(w.times)]
}
