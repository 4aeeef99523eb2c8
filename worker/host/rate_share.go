package host

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
)

// The rate of requests is one for all workers of a namespace. Each worker looks which
// others ask for activities and takes an equal share. A new worker uses a small share
// until all others must have seen it. The others keep their shares until then.
const (
	// pollTimeout is how long a request for an activity waits, so that all workers are seen
	// to ask again before pollerExpiry.
	pollTimeout = 20 * time.Second
	// pollerExpiry is how long a worker counts after the last sight of its requests.
	pollerExpiry = 30 * time.Second
	// workerLookInterval is how often a worker looks for other workers.
	workerLookInterval = time.Second
	// workerLookTimeout bounds one look.
	workerLookTimeout = 2 * time.Second
	// shareDelay is how long after its first sight a worker takes its share. It is longer than
	// workerLookInterval and workerLookTimeout together.
	shareDelay = 5 * time.Second
	// newcomerShare is the part of the rate for a worker before that time.
	newcomerShare = 0.03
	// shareMargin is how far a share is below its part of the rate, in requests a second. It makes
	// up within half a minute for the requests that pass at once after a quiet time.
	shareMargin = 2.0 / 30
)

// rateShare computes the share of one worker. All times are from its own clock, except the
// times of the server. These are compared with each other only.
type rateShare struct {
	rate float64 // of all workers together
	self string  // the identity of the worker in its requests

	lastLook     time.Time // when the last successful look began
	visibleSince time.Time // since when this worker is seen to ask; zero when it is not
	lastPoll     time.Time // its last request, by the server's clock
	others       map[string]*otherWorker
}

// otherWorker is another worker.
type otherWorker struct {
	countsFrom time.Time // when it may take its share
	lastSeen   time.Time // when the last look that showed it began
}

// update stores which workers ask for activities. began is the time of the question, and
// now the time of the answer.
func (s *rateShare) update(began, now time.Time, pollers []*taskqueue.PollerInfo) {
	var latest time.Time // by the server's clock
	for _, p := range pollers {
		if at := p.GetLastAccessTime().AsTime(); at.After(latest) {
			latest = at
		}
	}
	before := s.lastLook
	if s.others == nil || began.Sub(before) > pollerExpiry-pollTimeout {
		before = time.Time{} // all others may have their shares already
		s.others, s.visibleSince = map[string]*otherWorker{}, time.Time{}
	}
	asks := false
	gone := map[string]bool{}
	for _, p := range pollers {
		fresh := latest.Sub(p.GetLastAccessTime().AsTime()) <= pollerExpiry
		id := p.GetIdentity()
		switch {
		case id == s.self:
			at := p.GetLastAccessTime().AsTime()
			if at.Sub(s.lastPoll) > pollerExpiry-pollTimeout/4 {
				s.visibleSince = time.Time{} // others may have seen that it did not ask
			}
			s.lastPoll, asks = at, fresh
		case !fresh:
			if s.others[id] == nil || s.others[id].lastSeen != began {
				gone[id] = true
			}
		default:
			delete(gone, id)
			if s.others[id] == nil {
				counts := now
				if !before.IsZero() {
					counts = before.Add(shareDelay)
				}
				s.others[id] = &otherWorker{countsFrom: counts}
			}
			s.others[id].lastSeen = began
		}
	}
	for id, other := range s.others {
		// A restarted server knows no workers until they ask again.
		if gone[id] || began.Sub(other.lastSeen) > pollerExpiry {
			delete(s.others, id)
		}
	}
	switch {
	case !asks:
		s.visibleSince = time.Time{}
	case s.visibleSince.IsZero():
		s.visibleSince = now
		if len(s.others) == 0 {
			s.visibleSince = now.Add(-shareDelay) // no other worker has to see it first
		}
	}
	s.lastLook = began
}

// rateAt returns how many requests a second the worker may send at the time.
func (s *rateShare) rateAt(now time.Time) float64 {
	silent := now.Sub(s.lastLook)
	if s.visibleSince.IsZero() || now.Sub(s.visibleSince) < shareDelay || silent > pollerExpiry-pollTimeout {
		// A worker that sees nothing may also not be seen any more.
		return s.rate * newcomerShare
	}
	workers := 1
	for _, other := range s.others {
		if !now.Before(other.countsFrom) {
			workers++
		}
	}
	if silent > shareDelay { // new workers may have come
		workers *= 2
	}
	part := s.rate / float64(workers)
	return max(part/2, part-shareMargin)
}

// maintainRateShare keeps the pace at the worker's share until ctx ends.
func maintainRateShare(ctx context.Context, c client.Client, rate float64, self string, pace *administrate.Pace, logger *slog.Logger) {
	ctx, cancel := context.WithCancel(ctx)
	var mu sync.Mutex
	s := &rateShare{rate: rate, self: self}
	var setting sync.WaitGroup
	defer setting.Wait()
	defer cancel()
	before := 0.0
	set := func() {
		mu.Lock()
		defer mu.Unlock()
		mine := s.rateAt(time.Now())
		if mine != before {
			logger.DebugContext(ctx, "the worker's share of the rate", "requests_per_second", mine, "of", rate, "others", len(s.others))
		}
		before = mine
		pace.SetRate(mine)
	}
	setting.Go(func() {
		ticker := time.NewTicker(workerLookInterval / 20)
		defer ticker.Stop()
		for ctx.Err() == nil {
			select {
			case <-ticker.C:
				set()
			case <-ctx.Done():
			}
		}
	})
	failing := false
	for ctx.Err() == nil {
		began := time.Now()
		pollers, err := pollersOf(ctx, c)
		if err == nil {
			mu.Lock()
			s.update(began, time.Now(), pollers)
			mu.Unlock()
			set()
		}
		if isNotPermitted(err) {
			logger.WarnContext(ctx, "the worker may not see the other workers: the rate of requests to the API holds for each of them")
			cancel()
			setting.Wait()
			pace.SetRate(rate)
			return
		}
		if err != nil && !failing && ctx.Err() == nil {
			logger.WarnContext(ctx, "the worker cannot see the other workers, and sends fewer requests to the API until it can", "reason", Reason(err))
		}
		failing = err != nil
		mu.Lock()
		pause := workerLookInterval - time.Since(began)
		if s.visibleSince.IsZero() { // a worker that is not seen has only a small share
			pause = workerLookInterval / 20
		}
		mu.Unlock()
		timer := time.NewTimer(max(pause, workerLookInterval/20))
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// identity returns a unique name for this process.
func identity() string {
	name, _ := os.Hostname()
	return fmt.Sprintf("%d@%s/%s", os.Getpid(), name, uuid.NewString()[:8])
}

func pollersOf(ctx context.Context, c client.Client) ([]*taskqueue.PollerInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, workerLookTimeout)
	defer cancel()
	described, err := c.DescribeTaskQueue(ctx, activities.TaskQueue, enums.TASK_QUEUE_TYPE_ACTIVITY)
	return described.GetPollers(), err
}
