package e2e_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// contractClosingRace ends runs at the moment at which another update arrives. At this moment the
// server rejects the completed workflow task and the update. The Go client sends the update again.
func (p *parts) contractClosingRace(t *testing.T) {
	for n := range 20 {
		p.contractClosingRaceOnce(t, n)
	}
}

func (p *parts) contractClosingRaceOnce(t *testing.T, n int) {
	reference := opportunity.Reference(fmt.Sprintf("lost updates %d", n))
	p.startProposed(string(reference))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := p.client.Update(ctx, reference, opportunity.Refresh{}); err != nil {
		t.Errorf("refresh %d: %v", n, err)
	}
	if _, err := p.client.Update(ctx, reference, opportunity.Close{Reason: "over"}); err != nil {
		t.Errorf("close %d: %v", n, err)
		return
	}
	if ended, err := p.client.Wait(ctx, reference); err != nil || ended.CloseReason != "over" {
		t.Errorf("ended %d: %+v, %v", n, ended, err)
	}
}
