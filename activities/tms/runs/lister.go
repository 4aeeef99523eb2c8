package runs

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

// The index of runs (Temporal's visibility store) limits the number of list requests per second,
// and the worker does not know the limit. The worker sends list requests without a limit until
// Temporal refuses a list request.
const (
	maxListRate = 1000.0 // a second
	minListRate = 2.0
	// defaultListRate is a lower rate than a Temporal server with default settings allows.
	defaultListRate = 8.0
	rateDecrease    = 0.7
	rateIncrease    = 0.1
	rateWindow      = 2 * time.Second
	// listTimeout is shorter than a second, because the SDK itself repeats a refused list request
	// after about a second.
	listTimeout = 900 * time.Millisecond
)

// lister sends an urgent list request immediately, without regard to the request rate.
type lister struct {
	temporal client.Client
	now      func() time.Time
	pace     *administrate.Pace

	mu         sync.Mutex
	rate       float64
	answeredAt []time.Time // within rateWindow
	loweredAt  time.Time
}

func newLister(temporal client.Client, now func() time.Time) *lister {
	return &lister{temporal: temporal, now: now, pace: administrate.NewPace(maxListRate), rate: maxListRate}
}

// list repeats the request until Temporal returns a response or an error other than overload. The
// error of list says why the request failed, or that Temporal was overloaded until the context
// ended.
func (q *lister) list(ctx context.Context, request *workflowservice.ListWorkflowExecutionsRequest, urgent bool) (*workflowservice.ListWorkflowExecutionsResponse, error) {
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

func isOverloaded(err error) bool {
	var exhausted *serviceerror.ResourceExhausted
	var late *serviceerror.DeadlineExceeded
	return errors.As(err, &exhausted) || errors.As(err, &late) || errors.Is(err, context.DeadlineExceeded)
}

func (q *lister) recordAnswered() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dropOld()
	q.answeredAt = append(q.answeredAt, q.now())
	if q.rate < maxListRate {
		q.setRate(q.rate + rateIncrease)
	}
}

// recordRefused ignores a refusal within rateWindow after the last decrease of the rate, because a
// refusal in that time contains no new information.
func (q *lister) recordRefused() {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	if now.Sub(q.loweredAt) < rateWindow {
		return
	}
	q.dropOld()
	rate := rateDecrease * float64(len(q.answeredAt)) / rateWindow.Seconds()
	if q.rate == maxListRate {
		rate = max(rate, defaultListRate) // while the request rate was not limited, the responses say little about the limit
	}
	q.loweredAt = now
	q.setRate(rate)
}

func (q *lister) dropOld() {
	since := q.now().Add(-rateWindow)
	for len(q.answeredAt) > 0 && q.answeredAt[0].Before(since) {
		q.answeredAt = q.answeredAt[1:]
	}
}

func (q *lister) setRate(rate float64) {
	q.rate = min(max(rate, minListRate), maxListRate)
	q.pace.SetRate(q.rate)
}
