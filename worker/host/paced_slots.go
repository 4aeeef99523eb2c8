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
	// maxQueueAhead is the longest time that the pace may delay the first request of an activity.
	// If the pace would cause a longer delay, the worker does not poll for an activity, and the
	// activity waits at the Temporal server. The Temporal server dispatches urgent activities
	// first, and may dispatch the waiting activity to another worker.
	maxQueueAhead = time.Second
	// blockedPollInterval is the time between two polls for an activity while the worker is not
	// permitted to send API requests. A worker that is not permitted to send still polls, because
	// an activity of this worker returns the reason to the waiting workflow. A worker that is not
	// permitted to send polls rarely, because each activity of this worker ends at once. If a
	// worker that is not permitted to send polled often, it would take activities from the workers
	// that are permitted to send.
	blockedPollInterval = 5 * time.Second
)

// pacedSlots lets a worker poll for an activity only when the pace would soon permit a request, and
// rarely while the worker is not permitted to send.
type pacedSlots struct {
	worker.SlotSupplier
	pace *transport.Pace
	// whyBlocked returns the reason why the worker must not send, or nil if the worker may send.
	whyBlocked func() error

	mu              sync.Mutex
	unused          map[*worker.SlotPermit]bool // permits of slots that have no activity yet
	lastBlockedSlot time.Time                   // when ReserveSlot last gave a slot while the worker was not permitted to send
}

func newPacedTuner(pace *transport.Pace, withheld func() error) (worker.WorkerTuner, error) {
	fixed := func() worker.SlotSupplier {
		supplier, _ := worker.NewFixedSizeSlotSupplier(maxActivities) // returns an error only for zero slots
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

// ReserveSlot waits until the pace would soon permit the first API request of an activity.
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
		timer := time.NewTimer(min(max(left, time.Millisecond), maxQueueAhead)) // the wait is limited because the rate of the pace may change
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			s.SlotSupplier.ReleaseSlot(nil) // nil is enough, because a slot supplier of fixed size uses no information about the slot
			return nil, ctx.Err()
		}
	}
}

// TryReserveSlot returns nil, which means no slot, because this worker executes only activities
// that it received from a poll.
func (s *pacedSlots) TryReserveSlot(worker.SlotReservationInfo) *worker.SlotPermit { return nil }

// admit returns how long the caller must wait before the caller calls admit again. If the returned
// time is 0 or less, admit has stored the permit, and the caller may use the slot at once.
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
