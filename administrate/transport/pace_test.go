package transport

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestPace: for any number of callers and after any period without requests, the Pace never permits
// more requests than its rate allows.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPace(4)
		time.Sleep(time.Hour)
		begun := time.Now()
		var mu sync.Mutex
		var turns []time.Duration
		var group sync.WaitGroup
		for range 60 {
			group.Go(func() {
				if err := p.Wait(t.Context()); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				turns = append(turns, time.Since(begun))
			})
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		mu.Lock()
		if n := len(turns); n < 40 || n > 41 {
			t.Errorf("%d turns in 10 s at 4 a second", n)
		}
		mu.Unlock()
		p.SetRate(1)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		mu.Lock()
		if n := len(turns); n < 50 || n > 51 {
			t.Errorf("%d turns after 10 s more at 1 a second", n)
		}
		mu.Unlock()
		if delay := p.Delay(5); delay < 13*time.Second || delay > 15*time.Second {
			t.Errorf("the next turn but %d and 5 is in %v", 60-len(turns), delay)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := p.Wait(ctx); !errors.Is(err, errTurnTooLate) || ctx.Err() != nil {
			t.Errorf("a turn that comes too late: %v, %v", err, ctx.Err())
		}
		p.SetRate(1000)
		group.Wait()
	})
}
