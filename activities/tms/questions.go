package tms

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/administrate"
)

// The index of runs limits the number of questions per second. The worker does not know
// the limit. It asks without a limit until an answer does not come. Then it asks less
// often than the index answered, and slowly more again.
const (
	mostQuestions  = 1000.0 // a second
	leastQuestions = 2.0
	// usualQuestions is less than the number that a server answers at its defaults.
	usualQuestions = 8.0
	// fewerQuestions is the part of the rate of answers that remains, and moreQuestions what each
	// answer adds.
	fewerQuestions = 0.7
	moreQuestions  = 0.1
	// answersSeen is the time over which the answers are counted.
	answersSeen = 2 * time.Second
	// questionWithin is how long one question waits for its answer. When a question is refused, the SDK
	// repeats the question by itself, first after a second.
	questionWithin = 900 * time.Millisecond
)

// questions asks for lists of runs, and urgent questions do not wait for others.
type questions struct {
	temporal client.Client
	now      func() time.Time
	pace     *administrate.Pace

	mu       sync.Mutex
	rate     float64
	answered []time.Time // within answersSeen
	lowered  time.Time
}

func newQuestions(temporal client.Client, now func() time.Time) *questions {
	return &questions{temporal: temporal, now: now, pace: administrate.NewPace(mostQuestions), rate: mostQuestions}
}

// list repeats the question until it is answered. An error says that there are too many
// questions for an answer within the context's time, or why the question was refused.
func (q *questions) list(ctx context.Context, request *workflowservice.ListWorkflowExecutionsRequest, urgent bool) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	for {
		if !urgent {
			if err := q.pace.Wait(ctx); err != nil {
				return nil, context.DeadlineExceeded
			}
		}
		asking, cancel := context.WithTimeout(ctx, questionWithin)
		listed, err := q.temporal.ListWorkflow(asking, request)
		cancel()
		switch {
		case err == nil:
			q.heard()
			return listed, nil
		case !tooMuch(err):
			return nil, err
		}
		q.refused()
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(listPause):
		}
	}
}

// tooMuch reports whether there was no answer because there are too many questions.
func tooMuch(err error) bool {
	var exhausted *serviceerror.ResourceExhausted
	var late *serviceerror.DeadlineExceeded
	return errors.As(err, &exhausted) || errors.As(err, &late) || errors.Is(err, context.DeadlineExceeded)
}

// heard records an answered question.
func (q *questions) heard() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.count()
	q.answered = append(q.answered, q.now())
	if q.rate < mostQuestions {
		q.set(q.rate + moreQuestions)
	}
}

// refused records a refused question; refusals soon after another one say nothing new.
func (q *questions) refused() {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	if now.Sub(q.lowered) < answersSeen {
		return
	}
	q.count()
	rate := fewerQuestions * float64(len(q.answered)) / answersSeen.Seconds()
	if q.rate == mostQuestions {
		rate = max(rate, usualQuestions) // while everything was answered at once, the answers say little about the limit
	}
	q.lowered = now
	q.set(rate)
}

// count forgets old answers.
func (q *questions) count() {
	since := q.now().Add(-answersSeen)
	for len(q.answered) > 0 && q.answered[0].Before(since) {
		q.answered = q.answered[1:]
	}
}

func (q *questions) set(rate float64) {
	q.rate = min(max(rate, leastQuestions), mostQuestions)
	q.pace.SetRate(q.rate)
}
