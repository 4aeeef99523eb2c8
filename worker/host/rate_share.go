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
	"github.com/oppflow/oppflow/administrate/transport"
)

// All workers of a namespace together may send --api-rate requests per second to the API. Each
// worker reads from the Temporal server which workers poll for activities, and uses an equal share
// of --api-rate. A new worker uses only a small share before shareDelay has passed. Before
// shareDelay has passed, all other workers find the new worker in the server's list but do not
// reduce their own shares yet.
const (
	// pollTimeout is the longest time of a poll for an activity. pollTimeout is shorter than
	// pollerExpiry, so that every running worker polls again before pollerExpiry has passed.
	pollTimeout = 20 * time.Second
	// pollerExpiry is how long a worker counts as running after the time of its last poll in the
	// server's list.
	pollerExpiry = 30 * time.Second
	// workerLookInterval is how often a worker reads the list of workers.
	workerLookInterval = time.Second
	workerLookTimeout  = 2 * time.Second
	// shareDelay is the time from the first appearance of a new worker in the server's list until
	// the new worker uses its equal share. shareDelay is longer than workerLookInterval and
	// workerLookTimeout together.
	shareDelay = 5 * time.Second
	// newcomerShare is the fraction of --api-rate that a new worker uses before shareDelay is over.
	newcomerShare = 0.03
	// shareMargin is the number of requests per second by which the share of a worker is smaller
	// than an equal part of --api-rate. After a time without requests, the pace permits the first
	// few requests without delay. shareMargin compensates for these first few requests within half
	// a minute.
	shareMargin = 2.0 / 30
)

// rateShare computes with the worker's own clock, except for the times in the server's list.
// rateShare compares times in the server's list only with other times in this list.
type rateShare struct {
	rate float64 // the rate of all workers together, in requests per second
	self string  // the identity that the worker sends in its requests to Temporal

	lastLook     time.Time // when the worker sent the last successful request for the list
	visibleSince time.Time // since when the list contains this worker; zero if the list does not contain this worker
	lastPoll     time.Time // the time of this worker's last poll, by the server's clock
	others       map[string]*otherWorker
}

type otherWorker struct {
	countsFrom time.Time // from when on the other worker may use its share
	lastSeen   time.Time // when this worker sent the last request for the list whose response contained the other worker
}

// began is the time of the request for the list of workers, and now is the time of the response.
func (s *rateShare) update(began, now time.Time, pollers []*taskqueue.PollerInfo) {
	var latest time.Time // the time of the latest poll in the list, by the server's clock
	for _, p := range pollers {
		if at := p.GetLastAccessTime().AsTime(); at.After(latest) {
			latest = at
		}
	}
	before := s.lastLook
	if s.others == nil || began.Sub(before) > pollerExpiry-pollTimeout {
		before = time.Time{} // zero means that all other workers may already use their shares
		s.others, s.visibleSince = map[string]*otherWorker{}, time.Time{}
	}
	asks := false
	ended := map[string]bool{}
	for _, p := range pollers {
		fresh := latest.Sub(p.GetLastAccessTime().AsTime()) <= pollerExpiry
		id := p.GetIdentity()
		switch {
		case id == s.self:
			at := p.GetLastAccessTime().AsTime()
			if at.Sub(s.lastPoll) > pollerExpiry-pollTimeout/4 {
				s.visibleSince = time.Time{} // other workers may have removed this worker from their lists
			}
			s.lastPoll, asks = at, fresh
		case !fresh:
			if s.others[id] == nil || s.others[id].lastSeen != began {
				ended[id] = true
			}
		default:
			delete(ended, id)
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
		// After a restart of the server, the list contains a worker only after the worker has
		// polled again.
		if ended[id] || began.Sub(other.lastSeen) > pollerExpiry {
			delete(s.others, id)
		}
	}
	switch {
	case !asks:
		s.visibleSince = time.Time{}
	case s.visibleSince.IsZero():
		s.visibleSince = now
		if len(s.others) == 0 {
			s.visibleSince = now.Add(-shareDelay) // there is no other worker that has to find this worker first
		}
	}
	s.lastLook = began
}

func (s *rateShare) rateAt(now time.Time) float64 {
	silent := now.Sub(s.lastLook)
	if s.visibleSince.IsZero() || now.Sub(s.visibleSince) < shareDelay || silent > pollerExpiry-pollTimeout {
		// If this worker cannot read the list, the list that the other workers read may lack this
		// worker. So this worker uses only the small share.
		return s.rate * newcomerShare
	}
	workers := 1
	for _, other := range s.others {
		if !now.Before(other.countsFrom) {
			workers++
		}
	}
	if silent > shareDelay { // new workers may have started since the last successful read
		workers *= 2
	}
	part := s.rate / float64(workers)
	return max(part/2, part-shareMargin)
}

func maintainRateShare(ctx context.Context, c client.Client, rate float64, self string, pace *transport.Pace, logger *slog.Logger) {
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
			logger.DebugContext(ctx, "the worker's share of the API request rate changed", "requests_per_second", mine, "of", rate, "others", len(s.others))
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
			logger.WarnContext(ctx, "the worker is not permitted to list the other workers, so each worker uses the full rate of requests to the API")
			cancel()
			setting.Wait()
			pace.SetRate(rate)
			return
		}
		if err != nil && !failing && ctx.Err() == nil {
			logger.WarnContext(ctx, "the worker cannot list the other workers; during this failure, the worker sends fewer requests to the API", "reason", Reason(err))
		}
		failing = err != nil
		mu.Lock()
		pause := workerLookInterval - time.Since(began)
		if s.visibleSince.IsZero() { // a worker that the list does not contain has only the small share
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
