package contest

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oppflow/oppflow/opportunity"
)

// Rated is the rate at which a contestant completes lifecycles.
type Rated struct {
	Contestant string `json:"contestant"`
	// InFlight is the number of lifecycles at a time.
	InFlight int `json:"inFlight"`
	// PerSecond is the rate of the contestant's calls, in lifecycles per second.
	PerSecond float64 `json:"lifecyclesPerSecond"`
	// OfBase is the ratio of PerSecond to that of the contestant that is the base, in the same run.
	OfBase float64 `json:"ofBase"`
	// RequestsEach is the number of requests of a lifecycle. It varies here, because messages that arrive together
	// share a request.
	RequestsEach float64 `json:"requestsPerLifecycle"`
	// Usage is what the worker used; zero for the plain loop.
	Usage Usage `json:"worker"`
}

// Usage is the CPU time and the memory that a worker process used.
type Usage struct {
	// CPUSeconds is the CPU time for 1,000 lifecycles.
	CPUSeconds float64 `json:"cpuSecondsPer1000"`
	// PeakBytes is the most resident memory since the process began.
	PeakBytes uint64 `json:"peakResidentBytes"`
}

// RatePlan is the plan of a measurement of rates. The contestants take turns, so other load on the machine affects
// all of them alike.
type RatePlan struct {
	// InFlight is the number of lifecycles at a time.
	InFlight int
	// Rounds is the number of turns of each contestant. In each turn the calls that take effect within Window count.
	// The time Warm before it does not count.
	Rounds       int
	Warm, Window time.Duration
	// Tell is called before each turn; it may be nil.
	Tell func(what string)
}

// Rates measures the contestants. base names the contestant that the others are compared with.
func (g *Ground) Rates(ctx context.Context, contestants []Contestant, base string, plan RatePlan) ([]Rated, error) {
	sums := make([]turn, len(contestants))
	for round := range plan.Rounds {
		for n, c := range contestants {
			if plan.Tell != nil {
				plan.Tell(fmt.Sprintf("%s, %d in flight", c.Name, plan.InFlight))
			}
			one, err := g.turn(ctx, c, plan)
			if err != nil {
				return nil, fmt.Errorf("round %d: %w", round+1, err)
			}
			sums[n].add(one)
		}
	}
	rated := make([]Rated, len(contestants))
	var basis float64
	for n, c := range contestants {
		sum := sums[n]
		rated[n] = Rated{Contestant: c.Name, InFlight: plan.InFlight, PerSecond: float64(sum.calls) / Calls / sum.window.Seconds()}
		if sum.lived > 0 {
			rated[n].RequestsEach = float64(sum.requests) / float64(sum.lived)
			rated[n].Usage.CPUSeconds = sum.cpu / float64(sum.lived) * 1000
		}
		if process := g.processOf(c); process != nil {
			used, err := usedBy(ctx, process)
			if err != nil {
				return nil, err
			}
			rated[n].Usage.PeakBytes = used.peak
		}
		if c.Name == base {
			basis = rated[n].PerSecond
		}
	}
	for n := range rated {
		if basis > 0 {
			rated[n].OfBase = rated[n].PerSecond / basis
		}
	}
	return rated, nil
}

// turn is the result of one turn of a contestant. calls counts only within the window. The lifecycles, the requests
// and the worker's CPU seconds are those of the whole turn.
type turn struct {
	calls, lived, requests int64
	window                 time.Duration
	cpu                    float64
}

func (t *turn) add(other turn) {
	t.calls += other.calls
	t.lived += other.lived
	t.requests += other.requests
	t.window += other.window
	t.cpu += other.cpu
}

// turn makes the contestant play the planned number of lifecycles at a time until the window is over. Lifecycles that
// have begun are played to their end.
func (g *Ground) turn(ctx context.Context, c Contestant, plan RatePlan) (turn, error) {
	var result turn
	before, err := g.usage(ctx, c)
	if err != nil {
		return result, err
	}
	requests, err := g.requests(ctx)
	if err != nil {
		return result, err
	}
	var counting, over atomic.Bool
	var calls, lived atomic.Int64
	group, within := errgroup.WithContext(ctx)
	for range plan.InFlight {
		group.Go(func() error {
			for !over.Load() {
				if err := c.live(within, g.next(), func(n int) {
					if counting.Load() {
						calls.Add(int64(n))
					}
				}, nil); err != nil {
					return err
				}
				lived.Add(1)
			}
			return nil
		})
	}
	began := time.Now()
	if pass(within, plan.Warm) {
		counting.Store(true)
		began = time.Now()
		pass(within, plan.Window)
	}
	counting.Store(false)
	result.window = time.Since(began)
	over.Store(true)
	if err := group.Wait(); err != nil {
		return result, err
	}
	after, err := g.usage(ctx, c)
	if err != nil {
		return result, err
	}
	answered, err := g.requests(ctx)
	result.calls, result.lived = calls.Load(), lived.Load()
	result.requests, result.cpu = int64(answered-requests), after.cpu-before.cpu
	return result, err
}

// next returns an unused reference.
func (g *Ground) next() opportunity.Reference {
	return opportunity.Reference(fmt.Sprintf("life-%d", g.lives.Add(1)))
}

// pass waits for the time. It reports whether the time has passed before the context ended.
func pass(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
