package transport

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"
)

// paceSlack is how late a request may be sent without a delay of the next requests. paceSlack
// exists because timers fire a little late.
const paceSlack = 100 * time.Millisecond

var errTurnTooLate = errors.New("administrate: the pace would delay the request beyond the deadline of the request")

// Pace is a rate limiter without bursts: a Pace sets equal intervals between the requests of one or
// more Clients. A Pace permits requests in the order in which the callers called Wait. In any
// period of t seconds, a Pace permits at most 1 + (t + 0.1) x rate requests, even if no request was
// sent for a long time before. A change of the rate with SetRate also applies to callers that
// already wait. A Pace is safe for concurrent use.
type Pace struct {
	turn chan struct{} // full while a caller waits for its turn; Go serves waiting callers in order

	mu       sync.Mutex
	interval time.Duration
	last     time.Time // the planned time of the last permitted request
	waiting  int
	changed  chan struct{} // closed when the interval changes
}

// NewPace returns a Pace that permits perSecond requests per second.
func NewPace(perSecond float64) *Pace {
	p := &Pace{turn: make(chan struct{}, 1), changed: make(chan struct{})}
	p.SetRate(perSecond)
	return p
}

// SetRate changes the number of requests that the Pace permits per second.
func (p *Pace) SetRate(perSecond float64) {
	interval := time.Duration(math.MaxInt64 / 1024)
	if every := float64(time.Second) / perSecond; every < float64(interval) {
		interval = time.Duration(every)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if interval != p.interval {
		p.interval = interval
		close(p.changed)
		p.changed = make(chan struct{})
	}
}

// Delay returns how long a new caller of Wait would wait if the given number of further callers
// were already waiting.
func (p *Pace) Delay(further int) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.delay(time.Now(), p.waiting+further)
}

func (p *Pace) delay(now time.Time, before int) time.Duration {
	next := max(0, p.last.Add(p.interval).Sub(now))
	if before > 0 && time.Duration(before) > (math.MaxInt64-next)/p.interval {
		return math.MaxInt64
	}
	return next + time.Duration(before)*p.interval
}

// Wait blocks until the Pace permits one request of the caller. If the context ends while Wait
// blocks, Wait returns the context's error. Wait fails at once if the turn of the caller would come
// after the context's deadline.
func (p *Pace) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.mu.Lock()
	if by, bounded := ctx.Deadline(); bounded && time.Until(by) < p.delay(time.Now(), p.waiting) {
		p.mu.Unlock()
		return errTurnTooLate
	}
	p.waiting++
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.waiting--
	}()
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		left, changed := p.takeTurn(time.Now())
		if left <= 0 {
			return nil
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
		}
		timer.Stop()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// takeTurn counts the next request and returns 0, if the request may be sent now. If no request may
// proceed yet, takeTurn returns how long to wait, and a channel that is closed when the rate
// changes.
func (p *Pace) takeTurn(now time.Time) (time.Duration, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.last.Add(p.interval)
	if left := next.Sub(now); left > 0 {
		return left, p.changed
	}
	if late := now.Add(-paceSlack); next.Before(late) {
		next = late
	}
	p.last = next
	return 0, nil
}
