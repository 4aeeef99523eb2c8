package host

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"go.temporal.io/api/taskqueue/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// process simulates a worker in virtual time.
type process struct {
	rateShare
	polledAt  time.Time // when this worker last polled for an activity
	untilLook time.Duration
	frozen    bool // true while the worker cannot reach the server
}

// In any period, all workers together send at most a tenth more requests than --api-rate permits.
// While no worker starts, ends or loses the connection to the server, all workers together use the
// whole --api-rate.
func TestShare(t *testing.T) {
	const rate, step = 4.0, 50 * time.Millisecond
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		begun := time.Unix(1_900_000_000, 0)
		processes := map[string]*process{}
		listed := map[string]time.Time{} // the time of the last poll by the server's clock, which is wrong by an hour
		var sums []float64               // the number of requests in each step
		quiet := begun                   // when a worker last started, ended, or lost or regained its connection
		for now := begun; now.Sub(begun) < 5*time.Minute; now = now.Add(step) {
			switch alive := slices.Sorted(maps.Keys(processes)); {
			case len(alive) < 4 && (len(alive) == 0 || r.IntN(600) == 0):
				id := fmt.Sprint("worker ", len(listed))
				processes[id] = &process{rateShare: rateShare{rate: rate, self: id}, untilLook: time.Duration(r.Int64N(int64(workerLookInterval)))}
				quiet = now
			case len(alive) > 1 && r.IntN(1500) == 0:
				delete(processes, alive[r.IntN(len(alive))])
				quiet = now
			case r.IntN(1000) == 0:
				p := processes[alive[r.IntN(len(alive))]]
				p.frozen, quiet = !p.frozen, now
			}
			sum, frozen := 0.0, false
			for id, p := range processes {
				frozen = frozen || p.frozen
				if !p.frozen {
					if now.Sub(p.polledAt) >= pollTimeout {
						p.polledAt, listed[id] = now, now
					}
					if p.untilLook -= step; p.untilLook <= 0 {
						p.untilLook = workerLookInterval
						var pollers []*taskqueue.PollerInfo
						for id, at := range listed {
							pollers = append(pollers, &taskqueue.PollerInfo{Identity: id, LastAccessTime: timestamppb.New(at.Add(time.Hour))})
						}
						p.update(now, now, pollers)
					}
				}
				sum += p.rateAt(now) * step.Seconds()
			}
			sums = append(sums, sum)
			if settled := pollerExpiry + pollTimeout + shareDelay + workerLookInterval; !frozen && now.Sub(quiet) > settled {
				if used := sum / step.Seconds(); used < 0.9*rate-shareMargin*float64(len(processes)) {
					t.Fatalf("seed %d: %d workers use %.2f of %v a second", seed, len(processes), used, rate)
				}
			}
			for _, window := range []time.Duration{10 * time.Second, time.Minute} {
				n := min(len(sums), int(window/step))
				total := 0.0
				for _, s := range sums[len(sums)-n:] {
					total += s
				}
				most := 1.08 * rate * window.Seconds() // 8 % for new workers, and the rest of the tenth for requests that the pace does not delay
				if total > most {
					t.Fatalf("seed %d: %.1f in %v by %d workers; want at most %.1f", seed, total, window, len(processes), most)
				}
			}
		}
	}
}

// A worker that is alone has the whole --api-rate as soon as the server's list contains the worker.
// A worker still counts other workers that a restarted server does not list yet.
func TestShareOfOne(t *testing.T) {
	begun := time.Unix(1_900_000_000, 0)
	at := func(seconds int) time.Time { return begun.Add(time.Duration(seconds) * time.Second) }
	poller := func(id string, seconds int) *taskqueue.PollerInfo {
		return &taskqueue.PollerInfo{Identity: id, LastAccessTime: timestamppb.New(at(seconds))}
	}
	s := &rateShare{rate: 18, self: "a"}
	near := func(when string, seconds int, want float64) {
		t.Helper()
		if got := s.rateAt(at(seconds)); math.Abs(got-want) > 0.1 {
			t.Errorf("%s: %.2f a second; want %.2f", when, got, want)
		}
	}
	near("before it looked", 0, 0.54)
	s.update(at(1), at(1), []*taskqueue.PollerInfo{poller("a", 0), poller("dead", -31)})
	near("alone", 1, 18)
	s.update(at(2), at(2), []*taskqueue.PollerInfo{poller("a", 0), poller("b", 2), poller("b", -400)})
	near("another came, which has a small share", 3, 18)
	near("the other has its share", 6, 9)
	s.update(at(7), at(7), []*taskqueue.PollerInfo{poller("a", 7)})
	near("the server was started anew", 7, 9)
	near("nothing was seen for a while", 13, 4.5)
	near("nothing was seen for so long that it may be forgotten", 18, 0.54)
	s.update(at(36), at(36), []*taskqueue.PollerInfo{poller("a", 33), poller("b", 2)})
	near("the other asks no more", 36, 18)
	s.update(at(40), at(40), []*taskqueue.PollerInfo{poller("b", 40)})
	near("it is not seen itself", 40, 0.54)
}
