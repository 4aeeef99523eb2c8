package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	taskqueue "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/lifecycle"
)

const (
	// pollConfirmedAfter is the time after which a poll that still waits has certainly reached the
	// Temporal service, because an attempt to connect ends after 20 s. If a task queue has no
	// tasks, the service responds to a poll after about a minute.
	pollConfirmedAfter = 30 * time.Second
	// If maxPollGap passes without proof that the service received a poll of a task queue, the
	// worker counts as not polling this queue. Because maxPollGap is longer than
	// pollConfirmedAfter, the proofs of two consecutive polls leave no gap.
	maxPollGap = 45 * time.Second
)

// pollMonitor observes the connection to the Temporal service to find out whether the two SDK
// workers poll for tasks, because the SDK does not show whether they do.
type pollMonitor struct {
	mu         sync.Mutex
	workflows  queuePolls
	activities queuePolls
	bothPolled chan struct{} // closed as soon as both task queues have been polled
}

type queuePolls struct {
	queue      string
	everPolled bool      // true after a poll for tasks that any process may execute; polls for cached workflows do not count
	lastSign   time.Time // the last time at which the service had provably received a poll
	lastError  error     // the error of the last poll that ended; nil if this poll succeeded
	next       int
	open       map[int]time.Time // when the polls began that still wait for a response
}

func newPollMonitor() *pollMonitor {
	return &pollMonitor{
		bothPolled: make(chan struct{}),
		workflows:  queuePolls{queue: lifecycle.TaskQueue, open: map[int]time.Time{}},
		activities: queuePolls{queue: activities.TaskQueue, open: map[int]time.Time{}},
	}
}

// intercept is a gRPC interceptor that sees each attempt of a request, because it runs below the
// retries of the SDK.
func (p *pollMonitor) intercept(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	var kind *queuePolls
	var queue *taskqueue.TaskQueue
	switch request := request.(type) {
	case *workflowservice.PollWorkflowTaskQueueRequest:
		kind, queue = &p.workflows, request.GetTaskQueue()
	case *workflowservice.PollActivityTaskQueueRequest:
		kind, queue = &p.activities, request.GetTaskQueue()
	}
	// The sticky task queue, which has only tasks for workflows in the cache of this process, has
	// the name of the main task queue in NormalName.
	if kind == nil || kind.queue != queue.GetName() && kind.queue != queue.GetNormalName() {
		return invoke(ctx, method, request, reply, conn, options...)
	}
	if kind == &p.activities {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, pollTimeout)
		defer cancel()
	}
	number := p.begin(kind, queue.GetName() == kind.queue)
	err := invoke(ctx, method, request, reply, conn, options...)
	p.end(kind, number, err)
	return err
}

func (p *pollMonitor) begin(kind *queuePolls, unbound bool) (number int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	kind.next++
	kind.open[kind.next] = now
	if kind.lastSign.IsZero() {
		kind.lastSign = now
	}
	if unbound && !kind.everPolled {
		kind.everPolled = true
		if p.workflows.everPolled && p.activities.everPolled {
			close(p.bothPolled)
		}
	}
	return kind.next
}

func (p *pollMonitor) end(kind *queuePolls, number int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	began, now := kind.open[number], time.Now()
	delete(kind.open, number)
	kind.lastError = err
	// A poll that fails after pollConfirmedAfter counts as proof, because the poll had reached the
	// service. A poll that ends by a time-out does not count as proof.
	if err == nil || now.Sub(began) >= pollConfirmedAfter && Reason(err) != Reason(context.DeadlineExceeded) {
		kind.lastSign = now
	}
}

func (p *pollMonitor) check() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	return errors.Join(p.workflows.check(now), p.activities.check(now))
}

func (k *queuePolls) check(now time.Time) error {
	if !k.everPolled {
		return fmt.Errorf("the worker has not polled the task queue %s yet", k.queue)
	}
	sign := k.lastSign
	for _, began := range k.open {
		if now.Sub(began) >= pollConfirmedAfter {
			sign = now
		}
	}
	silent := now.Sub(sign)
	if silent <= maxPollGap {
		return nil
	}
	reason := "no response"
	if k.lastError != nil {
		reason = Reason(k.lastError)
	}
	return fmt.Errorf("the worker could not poll the task queue %s for %v: %s", k.queue, silent.Truncate(time.Second), reason)
}
