package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/sandbox/ledger"
	"github.com/oppflow/oppflow/stack"
)

// kill -9 of the sandbox, three times while sixteen clients write: whatever was answered is there afterwards, and the
// ledger knows it as committed.
func TestAKilledSandboxKeepsWhatItAnswered(t *testing.T) {
	p := bring(t, stack.Options{NoUI: true, Data: t.TempDir()})
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
						return // the sandbox is gone
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
			t.Fatal("too few were answered")
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
			t.Fatalf("%s was answered for %q and is gone: %+v, %v", id, name, found, err)
		}
	}
	committed := p.committed(ctx)
	for name, id := range answered {
		if !committed[id] {
			t.Errorf("the ledger does not know %s, %q", id, name)
		}
	}
}

// committed reads from the sandbox's ledger which opportunities were changed.
func (p *parts) committed(ctx context.Context) map[string]bool {
	p.t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(p.APIURL(), "/graphql")+"/_sandbox/ledger", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+p.APIToken())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var read struct{ Entries []ledger.Entry }
	if err := json.NewDecoder(response.Body).Decode(&read); err != nil {
		p.t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, entry := range read.Entries {
		for _, field := range entry.Fields {
			if field.Outcome == ledger.Committed {
				ids[field.Opportunity] = true
			}
		}
	}
	return ids
}
