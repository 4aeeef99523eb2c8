package host

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/sdk/worker"

	"github.com/oppflow/oppflow/administrate"
)

const (
	// maxActivities is how many activities a worker carries out at a time.
	maxActivities = 1000
	// queueAhead is how long the first request of an activity may have to wait for its turn when the
	// worker asks for the activity: what waits longer waits at the server, where what is urgent goes
	// first and another worker may take it.
	queueAhead = time.Second
)

// slots lets a worker ask for an activity only when the pace has a turn for it soon.
type slots struct {
	worker.SlotSupplier
	pace *administrate.Pace

	mu     sync.Mutex
	unused map[*worker.SlotPermit]bool // for which there is no activity yet
}

// newSlots returns a tuner for the worker of the activities.
func newSlots(pace *administrate.Pace) (worker.WorkerTuner, error) {
	fixed := func() worker.SlotSupplier {
		supplier, _ := worker.NewFixedSizeSlotSupplier(maxActivities) // it fails only for none
		return supplier
	}
	return worker.NewCompositeTuner(worker.CompositeTunerOptions{
		WorkflowSlotSupplier:        fixed(),
		ActivitySlotSupplier:        &slots{SlotSupplier: fixed(), pace: pace, unused: map[*worker.SlotPermit]bool{}},
		LocalActivitySlotSupplier:   fixed(),
		NexusSlotSupplier:           fixed(),
		SessionActivitySlotSupplier: fixed(),
	})
}

// ReserveSlot waits until the activity that is asked for would soon have its turn.
func (s *slots) ReserveSlot(ctx context.Context, info worker.SlotReservationInfo) (*worker.SlotPermit, error) {
	permit, err := s.SlotSupplier.ReserveSlot(ctx, info)
	if err != nil {
		return nil, err
	}
	for {
		left := s.admit(permit)
		if left <= 0 {
			return permit, nil
		}
		timer := time.NewTimer(min(max(left, time.Millisecond), queueAhead)) // the pace may change
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			s.SlotSupplier.ReleaseSlot(nil) // a fixed supplier looks at nothing of it
			return nil, ctx.Err()
		}
	}
}

// TryReserveSlot gives no slot: no activity is carried out that was not asked for.
func (s *slots) TryReserveSlot(worker.SlotReservationInfo) *worker.SlotPermit { return nil }

// admit notes the permit, or returns how long it is until it may be.
func (s *slots) admit(permit *worker.SlotPermit) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := s.pace.Delay(len(s.unused)) - queueAhead
	if left <= 0 {
		s.unused[permit] = true
	}
	return left
}

// MarkSlotUsed takes in that an activity has come.
func (s *slots) MarkSlotUsed(info worker.SlotMarkUsedInfo) {
	s.forget(info.Permit())
	s.SlotSupplier.MarkSlotUsed(info)
}

// ReleaseSlot takes in that the activity has ended, or that none came.
func (s *slots) ReleaseSlot(info worker.SlotReleaseInfo) {
	s.forget(info.Permit())
	s.SlotSupplier.ReleaseSlot(info)
}

func (s *slots) forget(permit *worker.SlotPermit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.unused, permit)
}
