package compare

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/worker/host"
)

// Idle is the cost of many open opportunities to which nothing happens.
type Idle struct {
	// Opportunities is the number of opportunities. Each opportunity has handled one message.
	// Cached is the number of opportunities in the worker's workflow cache.
	Opportunities int `json:"opportunities"`
	Cached        int `json:"cached"`
	// EmptyBytes is the worker's resident memory before the first opportunity. Bytes is the
	// worker's resident memory after each opportunity has handled one message. AllowedBytes is the
	// limit for Bytes: EmptyBytes, plus 60 MB, plus 60 KB for each cached opportunity.
	EmptyBytes   uint64 `json:"emptyResidentBytes"`
	Bytes        uint64 `json:"residentBytes"`
	AllowedBytes uint64 `json:"allowedResidentBytes"`
	// Events is the number of history events of one opportunity that is no longer in the worker's
	// workflow cache. FirstAnswer is the duration of the first query to this uncached opportunity.
	Events      int           `json:"events"`
	FirstAnswer time.Duration `json:"firstResponseNs"`
}

const (
	bytesPerOpportunity = 60_000
	fixedBytes          = 60_000_000
	// longHistory is the number of history events of the opportunity that Idle queries last. A run
	// continues as new after 2,000 history events.
	longHistory = 1_950
	// concurrentOpens is the number of opportunities that Idle starts at the same time.
	concurrentOpens = 16
)

// Idle starts the given number of opportunities, sends one message to each opportunity, and then
// measures the worker. The Environment must be new, because earlier measurements increase the
// worker's memory.
func (g *Environment) Idle(ctx context.Context, opportunities int, tell func(string)) (Idle, error) {
	idle := Idle{Opportunities: opportunities, Cached: host.DefaultCachedWorkflows}
	empty, err := readProcessUsage(ctx, g.worker)
	if err != nil {
		return idle, err
	}
	idle.EmptyBytes = empty.resident
	idle.AllowedBytes = empty.resident + uint64(idle.Cached)*bytesPerOpportunity + fixedBytes
	long, err := g.growHistory(ctx, &idle)
	if err != nil {
		return idle, err
	}
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(concurrentOpens)
	by, line := oppflow(g.oppflow, oppflowMode{byUpdate: true}), CallGroups()[0]
	for n := range opportunities {
		if within.Err() != nil {
			break
		}
		if n%1000 == 0 && tell != nil {
			tell(fmt.Sprintf("starting opportunities: %d of %d are started", n, opportunities))
		}
		group.Go(func() error {
			s, err := by.begin(within, g.nextReference())
			if err != nil {
				return err
			}
			return s.send(within, line, ignoreSent)
		})
	}
	if err := group.Wait(); err != nil {
		return idle, err
	}
	after, err := readProcessUsage(ctx, g.worker)
	if err != nil {
		return idle, err
	}
	idle.Bytes = after.resident
	began := time.Now()
	_, err = long.waiting(ctx)
	idle.FirstAnswer = time.Since(began)
	return idle, err
}

func (g *Environment) growHistory(ctx context.Context, idle *Idle) (driver, error) {
	reference := g.nextReference()
	s, err := oppflow(g.oppflow, oppflowMode{byUpdate: true}).begin(ctx, reference)
	if err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		if n%10 == 0 || idle.Events > longHistory-10*15 {
			counts, err := historyCounts(ctx, g.oppflow, reference)
			if err != nil {
				return nil, err
			}
			if idle.Events = counts.Events; counts.Events >= longHistory {
				return s, nil
			}
		}
		line := CallGroup{Calls: []Call{{Details: &opportunity.UpdateDetails{Name: fmt.Sprintf("%s %d", recordName, n)}}}}
		if err := s.send(ctx, line, ignoreSent); err != nil {
			return nil, err
		}
	}
}
