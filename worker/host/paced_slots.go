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
	// maxQueueAhead is how long the first request of an activity may have to wait for its turn when the
	// worker asks for the activity. Longer waits happen at the server, where urgent work goes first
	// and another worker may take the activity.
	maxQueueAhead = time.Second
	// blockedPollInterval is how often a worker asks for an activity while it may send nothing. It
	// still asks, because a waiting workflow learns the reason from the activity. It asks
	// rarely, because it ends an activity at once and would otherwise take all from a worker
	// that may send.
	blockedPollInterval = 5 * time.Second
)

// pacedSlots lets a worker ask for an activity only when the pace has a turn for it soon, and
// rarely while the worker may send nothing.
type pacedSlots struct {
	worker.SlotSupplier
	pace *administrate.Pace
	// whyBlocked returns why nothing may be sent; nil when everything may be sent.
	whyBlocked func() error

	mu              sync.Mutex
	unused          map[*worker.SlotPermit]bool // permits without an activity yet
	lastBlockedSlot time.Time                   // when a slot was last given while nothing may be sent
}

// newPacedTuner returns a tuner for the worker of the activities.
func newPacedTuner(pace *administrate.Pace, withheld func() error) (worker.WorkerTuner, error) {
	fixed := func() worker.SlotSupplier {
		supplier, _ := worker.NewFixedSizeSlotSupplier(maxActivities) // fails only for zero slots
		return supplier
	}
	return worker.NewCompositeTuner(worker.CompositeTunerOptions{
		WorkflowSlotSupplier:        fixed(),
		ActivitySlotSupplier:        &pacedSlots{SlotSupplier: fixed(), pace: pace, whyBlocked: withheld, unused: map[*worker.SlotPermit]bool{}},
		LocalActivitySlotSupplier:   fixed(),
		NexusSlotSupplier:           fixed(),
		SessionActivitySlotSupplier: fixed(),
	})
}

// ReserveSlot waits until an activity would soon have its turn.
func (s *pacedSlots) ReserveSlot(ctx context.Context, info worker.SlotReservationInfo) (*worker.SlotPermit, error) {
	permit, err := s.SlotSupplier.ReserveSlot(ctx, info)
	if err != nil {
		return nil, err
	}
	for {
		left := s.admit(permit)
		if left <= 0 {
			return permit, nil
		}
		timer := time.NewTimer(min(max(left, time.Millisecond), maxQueueAhead)) // the pace may change
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			s.SlotSupplier.ReleaseSlot(nil) // a fixed supplier uses no information about the slot
			return nil, ctx.Err()
		}
	}
}

// TryReserveSlot gives no slot: no activity is carried out without a request for it.
func (s *pacedSlots) TryReserveSlot(worker.SlotReservationInfo) *worker.SlotPermit { return nil }

// admit notes the permit, or returns how long to wait for the permit.
func (s *pacedSlots) admit(permit *worker.SlotPermit) time.Duration {
	withheld := s.whyBlocked() != nil
	s.mu.Lock()
	defer s.mu.Unlock()
	if withheld {
		if left := time.Until(s.lastBlockedSlot.Add(blockedPollInterval)); left > 0 {
			return left
		}
		s.lastBlockedSlot = time.Now()
		s.unused[permit] = true
		return 0
	}
	left := s.pace.Delay(len(s.unused)) - maxQueueAhead
	if left <= 0 {
		s.unused[permit] = true
	}
	return left
}

// MarkSlotUsed records that an activity has come.
func (s *pacedSlots) MarkSlotUsed(info worker.SlotMarkUsedInfo) {
	s.forget(info.Permit())
	s.SlotSupplier.MarkSlotUsed(info)
}

// ReleaseSlot records that the activity has ended, or that none came.
func (s *pacedSlots) ReleaseSlot(info worker.SlotReleaseInfo) {
	s.forget(info.Permit())
	s.SlotSupplier.ReleaseSlot(info)
}

func (s *pacedSlots) forget(permit *worker.SlotPermit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.unused, permit)
}
