package e2e_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

// The API is slow. An update returns after 20 s and reports that the request is pending.
func TestAnUpdateIsPendingAfterTwentySeconds(t *testing.T) {
	t.Parallel()
	p, g := startBehindProxy(t)
	const reference = "pending"
	c := p.caller(t)
	record := p.startProposed(reference)
	released := make(chan struct{})
	free := sync.OnceFunc(func() { close(released) })
	defer free()
	g.intercept(record, holdUntil(released))
	began := time.Now()
	outcome, err := c.update(reference, "progress", uuid.NewString(), `{"requestId":"slow","to":"Opportunity"}`)
	took := time.Since(began)
	if got := succeeded[jsonOutcome](t, outcome, err); got.State != "pending" || got.RequestID != "slow" || took < 19*time.Second {
		t.Errorf("after %s: %+v; want pending after 20 s", took, got)
	}
	if g.isPending(record) {
		t.Fatal("the worker sent no request; the test does not check a slow request")
	}
	// An operator command returns at once, even while a request is under way.
	began = time.Now()
	outcome, err = c.update(reference, "pause", uuid.NewString(), `{"reason":"look"}`)
	if got := succeeded[jsonOutcome](t, outcome, err); got.State != "done" || time.Since(began) > 18*time.Second {
		t.Errorf("unexpected outcome of pause: %+v after %s", got, time.Since(began))
	}
	if got, err := c.outcome(reference, "slow"); err != nil || got.State != "pending" {
		t.Errorf("unexpected outcome: %+v, %v", got, err)
	}
	free()
	if got := c.settled(reference, "slow"); got.State != "done" {
		t.Errorf("unexpected outcome: %+v", got)
	}
	// New updates are rejected now.
	outcome, err = c.update(reference, "progress", uuid.NewString(), `{"requestId":"slow","to":"Opportunity"}`)
	if got := succeeded[jsonOutcome](t, outcome, err); got.State != "done" || got.RequestID != "slow" {
		t.Errorf("unexpected outcome of the repeated update: %+v", got)
	}
	if got := p.Opportunity(record); got.Step.Name != "Opportunity" {
		t.Errorf("the record is in step %q", got.Step.Name)
	}
	if view := p.viewOf(reference); view.Failures > 0 {
		t.Errorf("the transition was made twice: %+v", view.Timeline)
	}
	p.Replay(reference, "contract-pending")
}
