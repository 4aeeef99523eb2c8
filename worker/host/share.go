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
	// pollLength is how long a request for an activity waits, so that all workers are seen
	// to ask again before pollersForgotten.
	pollLength = 20 * time.Second
	// pollersForgotten is how long a worker counts after the last sight of its requests.
	pollersForgotten = 30 * time.Second
	// lookEvery is how often a worker looks for other workers.
	lookEvery = time.Second
	// lookWithin bounds one look.
	lookWithin = 2 * time.Second
	// shareSettles is how long after its first sight a worker takes its share. It is longer than
	// lookEvery and lookWithin together.
	shareSettles = 5 * time.Second
	// newcomerShare is the part of the rate for a worker before that time.
	newcomerShare = 0.03
	// shareSpare is how far a share is below its part of the rate, in requests a second. It makes
	// up within half a minute for the requests that pass at once after a quiet time.
	shareSpare = 2.0 / 30
)

// share computes the share of one worker. All times are from its own clock, except the
// times of the server. These are compared with each other only.
type share struct {
	rate float64 // of all workers together
	self string  // the identity of the worker in its requests

	looked time.Time // when the last successful look began
	shown  time.Time // since when this worker is seen to ask; zero when it is not
	asked  time.Time // its last request, by the server's clock
	others map[string]*sharer
}

// sharer is another worker.
type sharer struct {
	counts time.Time // when it may take its share
	seen   time.Time // when the last look that showed it began
}

// look stores which workers ask for activities. began is the time of the question, and
// now the time of the answer.
func (s *share) look(began, now time.Time, pollers []*taskqueue.PollerInfo) {
	var latest time.Time // by the server's clock
	for _, p := range pollers {
		if at := p.GetLastAccessTime().AsTime(); at.After(latest) {
			latest = at
		}
	}
	before := s.looked
	if s.others == nil || began.Sub(before) > pollersForgotten-pollLength {
		before = time.Time{} // all others may have their shares already
		s.others, s.shown = map[string]*sharer{}, time.Time{}
	}
	asks := false
	gone := map[string]bool{}
	for _, p := range pollers {
		fresh := latest.Sub(p.GetLastAccessTime().AsTime()) <= pollersForgotten
		id := p.GetIdentity()
		switch {
		case id == s.self:
			at := p.GetLastAccessTime().AsTime()
			if at.Sub(s.asked) > pollersForgotten-pollLength/4 {
				s.shown = time.Time{} // others may have seen that it did not ask
			}
			s.asked, asks = at, fresh
		case !fresh:
			if s.others[id] == nil || s.others[id].seen != began {
				gone[id] = true
			}
		default:
			delete(gone, id)
			if s.others[id] == nil {
				counts := now
				if !before.IsZero() {
					counts = before.Add(shareSettles)
				}
				s.others[id] = &sharer{counts: counts}
			}
			s.others[id].seen = began
		}
	}
	for id, other := range s.others {
		// A restarted server knows no workers until they ask again.
		if gone[id] || began.Sub(other.seen) > pollersForgotten {
			delete(s.others, id)
		}
	}
	switch {
	case !asks:
		s.shown = time.Time{}
	case s.shown.IsZero():
		s.shown = now
		if len(s.others) == 0 {
			s.shown = now.Add(-shareSettles) // no other worker has to see it first
		}
	}
	s.looked = began
}

// now returns how many requests a second the worker may send at the time.
func (s *share) now(now time.Time) float64 {
	silent := now.Sub(s.looked)
	if s.shown.IsZero() || now.Sub(s.shown) < shareSettles || silent > pollersForgotten-pollLength {
		// A worker that sees nothing may also not be seen any more.
		return s.rate * newcomerShare
	}
	workers := 1
	for _, other := range s.others {
		if !now.Before(other.counts) {
			workers++
		}
	}
	if silent > shareSettles { // new workers may have come
		workers *= 2
	}
	part := s.rate / float64(workers)
	return max(part/2, part-shareSpare)
}

// keepShare keeps the pace at the worker's share until ctx ends.
func keepShare(ctx context.Context, c client.Client, rate float64, self string, pace *administrate.Pace, logger *slog.Logger) {
	ctx, cancel := context.WithCancel(ctx)
	var mu sync.Mutex
	s := &share{rate: rate, self: self}
	var setting sync.WaitGroup
	defer setting.Wait()
	defer cancel()
	before := 0.0
	set := func() {
		mu.Lock()
		defer mu.Unlock()
		mine := s.now(time.Now())
		if mine != before {
			logger.DebugContext(ctx, "the worker's share of the rate", "requests_per_second", mine, "of", rate, "others", len(s.others))
		}
		before = mine
		pace.SetRate(mine)
	}
	setting.Go(func() {
		ticker := time.NewTicker(lookEvery / 20)
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
			s.look(began, time.Now(), pollers)
			mu.Unlock()
			set()
		}
		if mayNotLook(err) {
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
		pause := lookEvery - time.Since(began)
		if s.shown.IsZero() { // a worker that is not seen has only a small share
			pause = lookEvery / 20
		}
		mu.Unlock()
		timer := time.NewTimer(max(pause, lookEvery/20))
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
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	described, err := c.DescribeTaskQueue(ctx, activities.TaskQueue, enums.TASK_QUEUE_TYPE_ACTIVITY)
	return described.GetPollers(), err
}
