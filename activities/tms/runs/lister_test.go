package runs

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

type rateLimitedClient struct {
	client.Client
	every time.Duration

	mu   sync.Mutex
	next time.Time
}

func (l *rateLimitedClient) ListWorkflow(context.Context, *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.next.Sub(now) > 0 {
		return nil, &serviceerror.ResourceExhausted{}
	}
	l.next = now.Add(l.every)
	return &workflowservice.ListWorkflowExecutionsResponse{}, nil
}

// Many callers continuously send list requests at the same time. The namespace responds to as many
// requests as its limit allows, and an urgent request gets its response within a second.
func TestUrgentListsGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &rateLimitedClient{every: time.Second / 10}
		q := newLister(l, time.Now)
		ctx, cancel := context.WithCancel(t.Context())
		var answered atomic.Int64
		for range 200 {
			go func() {
				for ctx.Err() == nil {
					asking, stop := context.WithTimeout(ctx, 5*time.Second)
					if _, err := q.list(asking, nil, false); err == nil {
						answered.Add(1)
					} else {
						time.Sleep(time.Second)
					}
					stop()
				}
			}()
		}
		time.Sleep(10 * time.Second)
		for range 10 {
			time.Sleep(3 * time.Second)
			begun := time.Now()
			if _, err := q.list(ctx, nil, true); err != nil || time.Since(begun) > time.Second {
				t.Errorf("an urgent question: %v after %v", err, time.Since(begun))
			}
		}
		if n := answered.Load(); n < 200 {
			t.Errorf("%d questions were answered in 40 s; the namespace answers 400", n)
		}
		cancel()
		time.Sleep(time.Minute)
	})
}
