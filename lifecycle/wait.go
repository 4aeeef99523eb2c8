package lifecycle

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/opportunity"
)

// Wait waits until the opportunity has ended and returns its summary. An opportunity has ended when
// it is in a final step, and when nothing is left to do or an effect waits for an operator. Wait does
// not wait for the end of the run, which may stay open for the operator or for further messages. Wait returns the error Closed when the opportunity was
// cancelled, and the error Rejected when the API rejected the start.
//
// For a run that stays open, Wait asks Temporal at least every 5 seconds whether the opportunity is
// in a final step.
func (c *Client) Wait(ctx context.Context, reference opportunity.Reference) (opportunity.RunResult, error) {
	if err := reference.Validate(); err != nil {
		return opportunity.RunResult{}, err
	}
	waiting, stop := context.WithCancel(withResourceHeader(ctx, reference))
	var both sync.WaitGroup
	defer both.Wait()
	defer stop()
	type ending struct {
		result opportunity.RunResult
		err    error
	}
	ended := make(chan ending, 2)
	both.Go(func() {
		result, err := c.waitForRunEnd(waiting, reference)
		ended <- ending{result, err}
	})
	both.Go(func() {
		if result, isOpen := c.waitForFinalStep(waiting, reference); isOpen {
			ended <- ending{result: result}
		}
	})
	first := <-ended
	return first.result, first.err
}

func (c *Client) waitForRunEnd(ctx context.Context, reference opportunity.Reference) (opportunity.RunResult, error) {
	var result opportunity.RunResult
	err := c.temporal.GetWorkflow(ctx, WorkflowID(reference), "").Get(ctx, &result)
	var cancelled *temporal.CanceledError
	if errors.As(err, &cancelled) {
		return result, opportunity.Failf(opportunity.Closed, "opportunity %s was cancelled", reference)
	}
	return result, c.contractError(ctx, reference, err)
}

var errNotEnded = errors.New("the opportunity has not ended")

// waitForFinalStep waits until the opportunity has ended but its run is still open.
// waitForFinalStep returns false when the run or the context has ended. An error of Temporal does
// not end the wait, because waitForRunEnd reports the error.
func (c *Client) waitForFinalStep(ctx context.Context, reference opportunity.Reference) (opportunity.RunResult, bool) {
	result, err := backoff.Retry(ctx, func() (opportunity.RunResult, error) {
		described, err := c.describe(ctx, reference)
		if err != nil {
			return opportunity.RunResult{}, err
		}
		info := described.GetWorkflowExecutionInfo()
		if info.GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
			return opportunity.RunResult{}, backoff.Permanent(errNotEnded)
		}
		var state opportunity.StageState
		payload := info.GetSearchAttributes().GetIndexedFields()[OpportunityState.GetName()]
		if payload == nil || converter.GetDefaultDataConverter().FromPayload(payload, &state) != nil || !state.IsFinal() {
			return opportunity.RunResult{}, errNotEnded
		}
		view, err := c.View(ctx, reference)
		if err == nil && view.OpenUntil.IsZero() && !slices.ContainsFunc(view.RunningEffects, func(e opportunity.RunningEffect) bool { return e.Problem != "" }) {
			err = errNotEnded
		}
		return view.Result(), err
	}, backoff.WithBackOff(&backoff.ExponentialBackOff{InitialInterval: 250 * time.Millisecond, Multiplier: 2, MaxInterval: 5 * time.Second}), backoff.WithMaxElapsedTime(0))
	return result, err == nil
}
