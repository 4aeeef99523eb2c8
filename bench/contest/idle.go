package contest

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/worker/host"
)

// Idle is what many open opportunities cost that nothing happens to.
type Idle struct {
	// Opportunities have each handled one message on the one worker, which keeps Cached of them ready.
	Opportunities int `json:"opportunities"`
	Cached        int `json:"cached"`
	// EmptyBytes is what was resident of a worker that had done nothing, Bytes what is after all of them, and
	// AllowedBytes the most that is meant to be: 60 KB for each that is kept ready and 60 MB above the empty worker.
	EmptyBytes   uint64 `json:"emptyResidentBytes"`
	Bytes        uint64 `json:"residentBytes"`
	AllowedBytes uint64 `json:"allowedResidentBytes"`
	// Events is how long the history is of one that is not kept ready any more, and FirstAnswer how long it took to
	// answer a query.
	Events      int           `json:"events"`
	FirstAnswer time.Duration `json:"firstAnswerNs"`
}

// The most that idle opportunities are meant to take.
const (
	bytesEach  = 60_000
	bytesAbove = 60_000_000
	// longHistory is how many events the one has that is asked in the end; a run is continued by a new one after 2,000.
	longHistory = 1_950
	// openers is how many opportunities are opened at a time.
	openers = 16
)

// Idle opens so many opportunities, has each handle one message, and looks at the worker then. The ground must be fresh:
// what the worker has done before would count.
func (g *Ground) Idle(ctx context.Context, opportunities int, tell func(string)) (Idle, error) {
	idle := Idle{Opportunities: opportunities, Cached: host.DefaultCachedWorkflows}
	empty, err := usedBy(ctx, g.worker)
	if err != nil {
		return idle, err
	}
	idle.EmptyBytes = empty.resident
	idle.AllowedBytes = empty.resident + uint64(idle.Cached)*bytesEach + bytesAbove
	long, err := g.grown(ctx, &idle)
	if err != nil {
		return idle, err
	}
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(openers)
	by, line := oppflow(g.oppflow, how{byUpdate: true}), Lines()[0]
	for n := range opportunities {
		if within.Err() != nil {
			break
		}
		if n%1000 == 0 && tell != nil {
			tell(fmt.Sprintf("opening opportunities, %d of %d", n, opportunities))
		}
		group.Go(func() error {
			s, err := by.begin(within, g.next())
			if err != nil {
				return err
			}
			return s.send(within, line, nothing)
		})
	}
	if err := group.Wait(); err != nil {
		return idle, err
	}
	after, err := usedBy(ctx, g.worker)
	if err != nil {
		return idle, err
	}
	idle.Bytes = after.resident
	began := time.Now()
	_, err = long.waiting(ctx)
	idle.FirstAnswer = time.Since(began)
	return idle, err
}

// grown opens an opportunity and sends it messages until its history is long.
func (g *Ground) grown(ctx context.Context, idle *Idle) (sender, error) {
	reference := g.next()
	s, err := oppflow(g.oppflow, how{byUpdate: true}).begin(ctx, reference)
	if err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		if n%10 == 0 || idle.Events > longHistory-10*15 {
			counts, err := history(ctx, g.oppflow, reference)
			if err != nil {
				return nil, err
			}
			if idle.Events = counts.Events; counts.Events >= longHistory {
				return s, nil
			}
		}
		line := Line{Calls: []Call{{Details: &opportunity.UpdateDetails{Name: fmt.Sprintf("%s %d", recordOf, n)}}}}
		if err := s.send(ctx, line, nothing); err != nil {
			return nil, err
		}
	}
}
