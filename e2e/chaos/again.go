package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/e2e/index"
	"github.com/oppflow/oppflow/opportunity"
)

// restarted is how many opportunities are started again while the index lags.
const restarted = 6

// lagIndex has the index of runs be late, or show new runs first, and has opportunities end and start again meanwhile.
func (s *Storm) lagIndex(ctx context.Context, first bool) error {
	how := index.Lagging
	if first {
		how = index.NewFirst
	}
	s.tell("the index: " + string(how))
	s.index.Show(how)
	defer s.index.Show(index.AsItIs)
	ctx, cancel := context.WithTimeout(ctx, 4*s.options.Hold)
	defer cancel()
	var again atomic.Int32
	var starting sync.WaitGroup
	for range restarted {
		s.probes++
		from, number := sender{storm: s, number: firstProbe + s.probes}, s.probes
		starting.Go(func() {
			script := Script{
				Reference: opportunity.Reference(fmt.Sprintf("again-%d-%d", s.options.Seed, number)),
				Start:     opportunity.Start{Name: "Again", Region: "UK", EntryStep: "Proposed"},
			}
			if from.start(ctx, script) != nil {
				return
			}
			for n := 0; ctx.Err() == nil; n++ {
				from.send(ctx, script.Reference, Step{Deed: Send, Way: audit.BySignal, Command: opportunity.AddInterests{
					RequestID: fmt.Sprintf("%s/%d", script.Reference, n), Interests: opportunity.Interests{alikeInterest()},
				}})
				before := len(s.earlier(script.Reference))
				if err := from.terminate(ctx, script); err == nil && len(s.earlier(script.Reference)) > before {
					again.Add(1)
				}
			}
		})
	}
	starting.Wait()
	if again.Load() == 0 {
		return errors.New("no opportunity ended and started again")
	}
	s.tell(fmt.Sprintf("%d times an opportunity ended and started again", again.Load()))
	return nil
}
