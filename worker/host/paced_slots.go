package host

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/sdk/worker"

	"github.com/oppflow/oppflow/administrate/transport"
)

const (
	maxActivities = 1000
	// maxQueueAhead is the maximum delay that the pace may cause for the first request of an
	// activity. While the pace causes a longer delay than maxQueueAhead, the worker does not poll,
	// and the activity waits at the Temporal server. The Temporal server dispatches urgent
	// activities first, and may dispatch the waiting activity to another worker.
	maxQueueAhead = time.Second
	// blockedPollInterval is the time between two polls for an activity while the worker may send
	// nothing. A worker that may send nothing still polls, because the activity returns the reason
	// to the waiting workflow. A worker that may send nothing polls rarely, because each activity
	// of this worker ends at once. If a worker that may send nothing polled often, the worker would
	// take the activities of the workers that may send.
	blockedPollInterval = 5 * time.Second
)

// pacedSlots lets a worker poll for an activity only when the pace soon permits a request, and
// rarely while the worker may send nothing.
type pacedSlots struct {
	worker.SlotSupplier
	pace *transport.Pace
	// whyBlocked returns why the worker may send nothing, or nil when the worker may send.
	whyBlocked func() error

	mu              sync.Mutex
	unused          map[*worker.SlotPermit]bool // permits that have no activity yet
	lastBlockedSlot time.Time                   // when ReserveSlot last gave a slot while nothing might be sent
}

func newPacedTuner(pace *transport.Pace, withheld func() error) (worker.WorkerTuner, error) {
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

// ReserveSlot waits until the pace would soon permit the first request of an activity.
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
		timer := time.NewTimer(min(max(left, time.Millisecond), maxQueueAhead)) // the pace may change during the wait
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			s.SlotSupplier.ReleaseSlot(nil) // a fixed supplier uses no information about the slot
			return nil, ctx.Err()
		}
	}
}

// TryReserveSlot returns nil, which means no slot, because the worker executes only activities that
// it has polled for.
func (s *pacedSlots) TryReserveSlot(worker.SlotReservationInfo) *worker.SlotPermit { return nil }

// admit returns how long the caller must wait before the next call of admit. If the result is 0 or
// less, admit has stored the permit, and the slot may be used at once.
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

func (s *pacedSlots) MarkSlotUsed(info worker.SlotMarkUsedInfo) {
	s.forget(info.Permit())
	s.SlotSupplier.MarkSlotUsed(info)
}

func (s *pacedSlots) ReleaseSlot(info worker.SlotReleaseInfo) {
	s.forget(info.Permit())
	s.SlotSupplier.ReleaseSlot(info)
}

func (s *pacedSlots) forget(permit *worker.SlotPermit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.unused, permit)
}
