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
	// pollProven is how long a request for tasks has to wait until it is certain that the service has received it: an
	// attempt to connect ends after 20 s. When there is nothing to do, the service answers a request after about a
	// minute.
	pollProven = 30 * time.Second
	// pollPatience is how long a queue may go without a sign that the service is asked for its tasks. It is longer
	// than pollProven, so that requests one after the other leave no gap.
	pollPatience = 45 * time.Second
)

// polls watches the connection to see whether both workers ask for tasks: the SDK does not
// show this.
type polls struct {
	mu         sync.Mutex
	workflows  polled
	activities polled
	both       chan struct{} // closed once both queues have been asked for
}

// polled is the state of the requests for the tasks of one queue.
type polled struct {
	queue string
	asked bool      // for tasks of any process
	sign  time.Time // when the service was last known to be asked
	last  error     // of the last request that ended, if it failed
	next  int
	open  map[int]time.Time // when the open requests began
}

func newPolls() *polls {
	return &polls{
		both:       make(chan struct{}),
		workflows:  polled{queue: lifecycle.TaskQueue, open: map[int]time.Time{}},
		activities: polled{queue: activities.TaskQueue, open: map[int]time.Time{}},
	}
}

// intercept is below the repetitions of the SDK and sees each attempt.
func (p *polls) intercept(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	var kind *polled
	var queue *taskqueue.TaskQueue
	switch request := request.(type) {
	case *workflowservice.PollWorkflowTaskQueueRequest:
		kind, queue = &p.workflows, request.GetTaskQueue()
	case *workflowservice.PollActivityTaskQueueRequest:
		kind, queue = &p.activities, request.GetTaskQueue()
	}
	// The queue for cached workflows of this process names the queue that it belongs to.
	if kind == nil || kind.queue != queue.GetName() && kind.queue != queue.GetNormalName() {
		return invoke(ctx, method, request, reply, conn, options...)
	}
	if kind == &p.activities {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, pollLength)
		defer cancel()
	}
	number := p.begin(kind, queue.GetName() == kind.queue)
	err := invoke(ctx, method, request, reply, conn, options...)
	p.end(kind, number, err)
	return err
}

func (p *polls) begin(kind *polled, unbound bool) (number int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	kind.next++
	kind.open[kind.next] = now
	if kind.sign.IsZero() {
		kind.sign = now
	}
	if unbound && !kind.asked {
		kind.asked = true
		if p.workflows.asked && p.activities.asked {
			close(p.both)
		}
	}
	return kind.next
}

func (p *polls) end(kind *polled, number int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	began, now := kind.open[number], time.Now()
	delete(kind.open, number)
	kind.last = err
	// A request that is cut off after pollProven had reached the service, so it still
	// counts. A time-out does not count.
	if err == nil || now.Sub(began) >= pollProven && Reason(err) != Reason(context.DeadlineExceeded) {
		kind.sign = now
	}
}

// check returns nil while the service is asked for tasks of both kinds, and otherwise the problem in
// one line.
func (p *polls) check() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	return errors.Join(p.workflows.check(now), p.activities.check(now))
}

func (k *polled) check(now time.Time) error {
	if !k.asked {
		return fmt.Errorf("the queue %s is not asked for tasks yet", k.queue)
	}
	sign := k.sign
	for _, began := range k.open {
		if now.Sub(began) >= pollProven {
			sign = now
		}
	}
	silent := now.Sub(sign)
	if silent <= pollPatience {
		return nil
	}
	reason := "no answer"
	if k.last != nil {
		reason = Reason(k.last)
	}
	return fmt.Errorf("the queue %s could not be asked for tasks for %v: %s", k.queue, silent.Truncate(time.Second), reason)
}
