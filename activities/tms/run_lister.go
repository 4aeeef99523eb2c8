package tms

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/administrate"
)

// The index of runs limits the number of list requests per second. The worker does not know the
// limit. The worker sends list requests without a limit until one gets no response. Then the
// worker sends fewer than the index has answered, and slowly more again.
const (
	maxListRate = 1000.0 // a second
	minListRate = 2.0
	// defaultListRate is less than the rate that a server allows at its defaults.
	defaultListRate = 8.0
	// rateDecrease is the part of the rate of responses that remains. rateIncrease is what each
	// response adds.
	rateDecrease = 0.7
	rateIncrease = 0.1
	// rateWindow is the time over which the responses are counted.
	rateWindow = 2 * time.Second
	// listTimeout is how long one list request waits for its response. When a list request is
	// refused, the SDK repeats it by itself, first after a second.
	listTimeout = 900 * time.Millisecond
)

// runLister sends list requests, and urgent requests do not wait for others.
type runLister struct {
	temporal client.Client
	now      func() time.Time
	pace     *administrate.Pace

	mu         sync.Mutex
	rate       float64
	answeredAt []time.Time // within rateWindow
	loweredAt  time.Time
}

func newRunLister(temporal client.Client, now func() time.Time) *runLister {
	return &runLister{temporal: temporal, now: now, pace: administrate.NewPace(maxListRate), rate: maxListRate}
}

// list repeats the request until it gets a response. An error says that there are too many
// requests for a response within the context's time, or why the request was refused.
func (q *runLister) list(ctx context.Context, request *workflowservice.ListWorkflowExecutionsRequest, urgent bool) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	var last error
	listed, _ := backoff.Retry(ctx, func() (*workflowservice.ListWorkflowExecutionsResponse, error) {
		if !urgent && q.pace.Wait(ctx) != nil {
			last = context.DeadlineExceeded
			return nil, backoff.Permanent(last)
		}
		asking, cancel := context.WithTimeout(ctx, listTimeout)
		defer cancel()
		var listed *workflowservice.ListWorkflowExecutionsResponse
		listed, last = q.temporal.ListWorkflow(asking, request)
		switch {
		case last == nil:
			q.recordAnswered()
		case isOverloaded(last):
			q.recordRefused()
		default:
			return nil, backoff.Permanent(last)
		}
		return listed, last
	}, backoff.WithBackOff(backoff.NewConstantBackOff(listPause)))
	return listed, last
}

// isOverloaded reports whether there was no response because there are too many requests.
func isOverloaded(err error) bool {
	var exhausted *serviceerror.ResourceExhausted
	var late *serviceerror.DeadlineExceeded
	return errors.As(err, &exhausted) || errors.As(err, &late) || errors.Is(err, context.DeadlineExceeded)
}

// recordAnswered records a list request that got a response.
func (q *runLister) recordAnswered() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dropOld()
	q.answeredAt = append(q.answeredAt, q.now())
	if q.rate < maxListRate {
		q.setRate(q.rate + rateIncrease)
	}
}

// recordRefused records a refused list request. A refusal within rateWindow after another one
// is not counted, because it gives no new information.
func (q *runLister) recordRefused() {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	if now.Sub(q.loweredAt) < rateWindow {
		return
	}
	q.dropOld()
	rate := rateDecrease * float64(len(q.answeredAt)) / rateWindow.Seconds()
	if q.rate == maxListRate {
		rate = max(rate, defaultListRate) // while the rate was not limited, the responses say little about the limit
	}
	q.loweredAt = now
	q.setRate(rate)
}

// dropOld removes responses from before rateWindow.
func (q *runLister) dropOld() {
	since := q.now().Add(-rateWindow)
	for len(q.answeredAt) > 0 && q.answeredAt[0].Before(since) {
		q.answeredAt = q.answeredAt[1:]
	}
}

func (q *runLister) setRate(rate float64) {
	q.rate = min(max(rate, minListRate), maxListRate)
	q.pace.SetRate(q.rate)
}
