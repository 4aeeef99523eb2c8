package compare

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// Burst is the measurement of many signals that are sent to one opportunity at once.
type Burst struct {
	Signals int `json:"signals"`
	// Sent is the time from the first signal until all signals were sent. Effect is the time from
	// the first signal until the last signal had taken effect.
	Sent   time.Duration `json:"sentNs"`
	Effect time.Duration `json:"lastEffectNs"`
	// Requests is the number of API requests that the signals caused. Runs is the number of runs
	// that handled the signals.
	Requests int `json:"requests"`
	Runs     int `json:"runs"`
}

// Burst sends the given number of signals to one opportunity, as fast as possible from eight
// goroutines.
func (g *Environment) Burst(ctx context.Context, signals int) (Burst, error) {
	burst := Burst{Signals: signals}
	reference := g.nextReference()
	s, err := oppflow(g.oppflow, oppflowMode{byUpdate: true}).begin(ctx, reference)
	if err != nil {
		return burst, err
	}
	before, err := g.requests(ctx)
	if err != nil {
		return burst, err
	}
	messages := lifecycle.NewClient(g.oppflow)
	began := time.Now()
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for n := range signals {
		group.Go(func() error {
			return messages.Signal(within, reference, opportunity.UpdateDetails{Name: fmt.Sprintf("%s %d", recordName, n)})
		})
	}
	if err := group.Wait(); err != nil {
		return burst, err
	}
	burst.Sent = time.Since(began)
	if err := pollUntil(ctx, func() (bool, error) {
		n, err := s.waiting(ctx)
		return n == 0, err
	}); err != nil {
		return burst, err
	}
	burst.Effect = time.Since(began)
	view, err := messages.View(ctx, reference)
	if err != nil {
		return burst, err
	}
	if burst.Runs = view.Runs; view.Failures > 0 {
		return burst, fmt.Errorf("%d of %d signals failed", view.Failures, signals)
	}
	after, err := g.requests(ctx)
	burst.Requests = after - before
	return burst, err
}
