package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/e2e/visibilityproxy"
	"github.com/oppflow/oppflow/opportunity"
)

const restartedCount = 6

// delayVisibility makes visibility lag, or show only the newest runs. While visibility lags,
// delayVisibility terminates opportunities and starts the opportunities again.
func (s *Experiment) delayVisibility(ctx context.Context, first bool) error {
	how := visibilityproxy.Lagging
	if first {
		how = visibilityproxy.NewestOnly
	}
	s.reportProgress("visibility: " + string(how))
	s.visibility.SetMode(how)
	defer s.visibility.SetMode(visibilityproxy.Unchanged)
	ctx, cancel := context.WithTimeout(ctx, 4*s.options.HoldTime)
	defer cancel()
	var again atomic.Int32
	var starting sync.WaitGroup
	for range restartedCount {
		s.probes++
		from, number := sender{experiment: s, number: firstProbe + s.probes}, s.probes
		starting.Go(func() {
			script := Script{
				Reference: opportunity.Reference(fmt.Sprintf("again-%d-%d", s.options.Seed, number)),
				Start:     opportunity.Start{Name: "Again", Region: "UK", EntryStep: "Proposed"},
			}
			if from.start(ctx, script) != nil {
				return
			}
			for n := 0; ctx.Err() == nil; n++ {
				from.send(ctx, script.Reference, Step{Action: Send, Transport: audit.BySignal, Command: opportunity.AddInterests{
					RequestID: fmt.Sprintf("%s/%d", script.Reference, n), Interests: opportunity.Interests{commonInterest()},
				}})
				before := len(s.terminatedRuns(script.Reference))
				if err := from.terminate(ctx, script); err == nil && len(s.terminatedRuns(script.Reference)) > before {
					again.Add(1)
				}
			}
		})
	}
	starting.Wait()
	if again.Load() == 0 {
		return errors.New("the disruption terminated and restarted no opportunity")
	}
	s.reportProgress(fmt.Sprintf("the disruption terminated and restarted opportunities %d times", again.Load()))
	return nil
}
