package compare

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oppflow/oppflow/opportunity"
)

// SubjectRate is the rate at which a subject completes lifecycles.
type SubjectRate struct {
	Subject string `json:"subject"`
	// InFlight is the number of lifecycles at a time.
	InFlight int `json:"inFlight"`
	// PerSecond is the rate of the subject's calls, in lifecycles per second.
	PerSecond float64 `json:"lifecyclesPerSecond"`
	// OfBase is the ratio of PerSecond to the base subject's PerSecond in the same run.
	OfBase float64 `json:"ofBase"`
	// RequestsEach is the number of requests of a lifecycle. RequestsEach varies, because Oppflow
	// sends one request for messages that arrive together.
	RequestsEach float64 `json:"requestsPerLifecycle"`
	// Usage is the usage of the subject's worker. Usage is zero for the plain loop, which has no
	// worker.
	Usage Usage `json:"worker"`
}

// Usage is the CPU time and the memory that a worker process used.
type Usage struct {
	// CPUSeconds is the CPU time for 1,000 lifecycles.
	CPUSeconds float64 `json:"cpuSecondsPer1000"`
	// PeakBytes is the most resident memory since the process began.
	PeakBytes uint64 `json:"peakResidentBytes"`
}

// RatePlan is the plan of a measurement of rates. The subjects take turns, so other load on the
// machine affects all subjects alike.
type RatePlan struct {
	// InFlight is the number of lifecycles at a time.
	InFlight int
	// Rounds is the number of turns of each subject. In each turn only the calls that take effect
	// within Window count. Window begins Warm after the start of the turn.
	Rounds       int
	Warm, Window time.Duration
	// Progress is called before each turn; it may be nil.
	Progress func(what string)
}

// Rates measures the subjects. base names the subject with which the others are compared.
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

// turnResult is the result of one turn of a subject. calls counts only within the window.
// lifecycles, requests and cpu (the worker's CPU seconds) count during the whole turn.
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

// playTurn makes the subject play the planned number of lifecycles at a time until the window is
// over. Lifecycles that have begun are played to their end.
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

// nextReference returns an unused reference.
func (g *Environment) nextReference() opportunity.Reference {
	return opportunity.Reference(fmt.Sprintf("life-%d", g.references.Add(1)))
}

// sleep waits for the duration. sleep returns false if the context ends first.
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
