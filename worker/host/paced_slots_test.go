package host

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.temporal.io/sdk/worker"

	"github.com/oppflow/oppflow/administrate/transport"
)

// A worker without permission to send polls for only a few activities and ends these activities at
// once, so that the waiting workflows receive the reason.
func TestAWorkerThatMayNotSendTakesFewActivities(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fixed, err := worker.NewFixedSizeSlotSupplier(maxActivities)
		if err != nil {
			t.Fatal(err)
		}
		var withheld atomic.Bool
		s := &pacedSlots{SlotSupplier: fixed, pace: transport.NewPace(1000), unused: map[*worker.SlotPermit]bool{}, whyBlocked: func() error {
			if withheld.Load() {
				return errors.New("the namespace was not read for 40 s")
			}
			return nil
		}}
		ctx, cancel := context.WithCancel(t.Context())
		var taken atomic.Int64
		var pollers sync.WaitGroup
		for range 4 {
			pollers.Go(func() {
				for ctx.Err() == nil {
					permit, err := s.ReserveSlot(ctx, nil)
					if err != nil {
						return
					}
					taken.Add(1)
					time.Sleep(10 * time.Millisecond) // the activity takes this long
					s.forget(permit)
					fixed.ReleaseSlot(nil)
				}
			})
		}
		in := func(d time.Duration) int64 {
			before := taken.Load()
			time.Sleep(d)
			return taken.Load() - before
		}
		if n := in(10 * time.Second); n < 100 {
			t.Errorf("%d activities in 10 s; want hundreds", n)
		}
		withheld.Store(true)
		if n := in(time.Minute); n < 10 || n > 20 {
			t.Errorf("%d activities in a minute in which nothing may be sent; want about 12", n)
		}
		withheld.Store(false)
		if n := in(15 * time.Second); n < 100 {
			t.Errorf("%d activities in 15 s after that; want hundreds", n)
		}
		cancel()
		pollers.Wait()
	})
}
