package e2e_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/sandbox/requestlog"
	"github.com/oppflow/oppflow/stack"
)

// The sandbox is killed with kill -9 three times while sixteen clients write. After each restart
// the sandbox has every change for which it had sent a response, and the request log shows the
// change as committed.
func TestAKilledSandboxKeepsCommittedChanges(t *testing.T) {
	t.Parallel()
	p := startParts(t, stack.Options{Data: t.TempDir()})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var mu sync.Mutex
	answered := map[string]string{} // ids by name
	for round := range 3 {
		writing, stop := context.WithCancel(ctx)
		var clients sync.WaitGroup
		enough := make(chan struct{})
		var once sync.Once
		for c := range 16 {
			clients.Go(func() {
				for i := 0; writing.Err() == nil; i++ {
					name := fmt.Sprintf("killed %d/%d/%d", round, c, i)
					made, err := p.api.CreateOpportunity(writing, administrate.NewOpportunity{Name: name, RegionID: "UmVnaW9uOlVL"})
					if err != nil {
						return // the sandbox was killed
					}
					mu.Lock()
					answered[name] = made.ID
					if len(answered) >= (round+1)*100 {
						once.Do(func() { close(enough) })
					}
					mu.Unlock()
				}
			})
		}
		select {
		case <-enough:
		case <-ctx.Done():
			t.Fatal("the sandbox responded to too few requests")
		}
		p.Sandbox().Kill()
		clients.Wait()
		stop()
		if err := p.Sandbox().Start(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for name, id := range answered {
		found, err := p.api.Opportunity(ctx, id)
		if err != nil || found.Name != name {
			t.Fatalf("the sandbox returned %s for %q, but the record does not exist any more: %+v, %v", id, name, found, err)
		}
	}
	committed := p.committed()
	for name, id := range answered {
		if !committed[id] {
			t.Errorf("the request log does not contain %s, %q", id, name)
		}
	}
}

func (p *parts) committed() map[string]bool {
	p.t.Helper()
	ids := map[string]bool{}
	for _, entry := range p.RequestLog() {
		for _, field := range entry.Fields {
			if field.Outcome == requestlog.Committed {
				ids[field.Opportunity] = true
			}
		}
	}
	return ids
}
