package compare

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oppflow/oppflow/opportunity"
)

// SubjectRate describes how many lifecycles a subject completes per second.
type SubjectRate struct {
	Subject string `json:"subject"`
	// InFlight is the number of lifecycles that run at the same time.
	InFlight int `json:"inFlight"`
	// PerSecond is the number of the subject's API calls per second, divided by the number of API
	// calls in a lifecycle.
	PerSecond float64 `json:"lifecyclesPerSecond"`
	// OfBase is the ratio of PerSecond to the PerSecond of the base subject in the same
	// measurement.
	OfBase float64 `json:"ofBase"`
	// RequestsEach is the mean number of API requests for one lifecycle. RequestsEach varies,
	// because Oppflow sends only one API request for messages that arrive together.
	RequestsEach float64 `json:"requestsPerLifecycle"`
	// Usage is zero for the plain loop, because the plain loop has no worker.
	Usage Usage `json:"worker"`
}

// Usage is the CPU time and the memory that a worker process used.
type Usage struct {
	// CPUSeconds is the CPU time of the worker for 1,000 lifecycles.
	CPUSeconds float64 `json:"cpuSecondsPer1000"`
	// PeakBytes is the largest resident memory of the worker process since its start.
	PeakBytes uint64 `json:"peakResidentBytes"`
}

// RatePlan says how Rates measures the subjects. Rates measures the subjects alternately in several
// rounds, so other load on the machine affects all subjects equally.
type RatePlan struct {
	InFlight int
	// Rounds is how often Rates measures each subject. In each round, a subject first plays
	// lifecycles for the duration Warm, and then for the duration Window. Rates counts only the API
	// calls that take effect during Window.
	Rounds       int
	Warm, Window time.Duration
	// Rates calls Progress (if not nil) before it measures a subject in a round.
	Progress func(what string)
}

// Rates measures how many lifecycles each subject completes per second. base is the name of the
// subject with which Rates compares the other subjects.
func (g *Environment) Rates(ctx context.Context, contestants []Subject, base string, plan RatePlan) ([]SubjectRate, error) {
	sums := make([]turnResult, len(contestants))
	for round := range plan.Rounds {
		for n, c := range contestants {
			if plan.Progress != nil {
				plan.Progress(fmt.Sprintf("measuring the rate of %s with %d lifecycles at the same time", c.Name, plan.InFlight))
			}
			one, err := g.playTurn(ctx, c, plan)
			if err != nil {
				return nil, fmt.Errorf("round %d: %w", round+1, err)
			}
			sums[n].add(one)
		}
	}
	rated := make([]SubjectRate, len(contestants))
	var basis float64
	for n, c := range contestants {
		sum := sums[n]
		rated[n] = SubjectRate{Subject: c.Name, InFlight: plan.InFlight, PerSecond: float64(sum.calls) / Calls / sum.window.Seconds()}
		if sum.lifecycles > 0 {
			rated[n].RequestsEach = float64(sum.requests) / float64(sum.lifecycles)
			rated[n].Usage.CPUSeconds = sum.cpu / float64(sum.lifecycles) * 1000
		}
		if process := g.processOf(c); process != nil {
			used, err := readProcessUsage(ctx, process)
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

// turnResult is the measurement of one subject in one round. calls is the number of API calls that
// took effect during the plan's Window. lifecycles, requests and cpu (the worker's CPU seconds)
// include the time before and after Window.
type turnResult struct {
	calls, lifecycles, requests int64
	window                      time.Duration
	cpu                         float64
}

func (t *turnResult) add(other turnResult) {
	t.calls += other.calls
	t.lifecycles += other.lifecycles
	t.requests += other.requests
	t.window += other.window
	t.cpu += other.cpu
}

// playTurn keeps plan.InFlight lifecycles running until the end of the plan's Window. After Window,
// playTurn completes the running lifecycles and starts no new lifecycle.
func (g *Environment) playTurn(ctx context.Context, c Subject, plan RatePlan) (turnResult, error) {
	var result turnResult
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
				if err := c.play(within, g.nextReference(), func(n int) {
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
	if sleep(within, plan.Warm) {
		counting.Store(true)
		began = time.Now()
		sleep(within, plan.Window)
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
	result.calls, result.lifecycles = calls.Load(), lived.Load()
	result.requests, result.cpu = int64(answered-requests), after.cpu-before.cpu
	return result, err
}

func (g *Environment) nextReference() opportunity.Reference {
	return opportunity.Reference(fmt.Sprintf("life-%d", g.references.Add(1)))
}

// sleep returns false if the context ends before the duration d is over.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
