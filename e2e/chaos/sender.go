package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	commonpb "go.temporal.io/api/common/v1"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

const (
	callTimeout   = 8 * time.Second
	retryInterval = 300 * time.Millisecond
	// maxUpdateAttempts is how often a sender sends an update that returns no outcome.
	maxUpdateAttempts = 2
)

type sender struct {
	experiment *Experiment
	number     int
}

// play returns the error of the context or of a rejected start.
func (s sender) play(ctx context.Context, script Script) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the experiment is over
	}
	if err := s.start(ctx, script); err != nil || ctx.Err() != nil {
		return err
	}
	unanswered := 0
	for _, step := range script.Steps {
		if err := sleep(ctx, step.Pause); err != nil {
			return nil //nolint:nilerr // the experiment is over; a message that was not sent is not missed
		}
		var err error
		switch step.Action {
		case Send:
			if unanswered > 0 { // an update that waits behind a question never returns
				unanswered--
				step.Transport = audit.BySignal
			}
			for range 1 + step.Repeats {
				if observed := s.send(ctx, script.Reference, step); observed.Result == audit.Unknown && step.Transport == audit.ByUpdate {
					unanswered = 10
					break
				}
			}
		case Terminate:
			err = s.terminate(ctx, script)
		case Reset:
			var refused error
			err = s.retry(ctx, func(ctx context.Context) error {
				err := s.experiment.reset(ctx, script.Reference, step.ResetToFirst)
				if isBusy(err) || isMissing(err) || errors.Is(err, errPending) {
					return err
				}
				refused = err
				return nil
			})
			if err == nil {
				err = refused
			}
		case Close:
			err = s.retry(ctx, func(ctx context.Context) error {
				_, err := s.experiment.client.Update(ctx, script.Reference, opportunity.Close{Reason: "the chaos test is over"})
				var own *opportunity.Error
				if errors.As(err, &own) && own.Type == opportunity.Closed {
					return nil // an earlier request closed the run, and its outcome was lost
				}
				if own != nil && own.Type == opportunity.NotFound {
					return errPending // the opportunity is started again after a restore
				}
				return err
			})
		}
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("%s: %s: %w", script.Reference, step.Action, err)
		}
	}
	return nil
}

// start starts the opportunity, and repeats the start until the record exists.
func (s sender) start(ctx context.Context, script Script) error {
	s.experiment.recordStart(script.Reference, script.Start)
	err := s.retry(ctx, func(ctx context.Context) error {
		opened, err := s.experiment.client.Start(ctx, script.Reference, script.Start)
		if err == nil && opened.State != opportunity.Done {
			err = errPending
		}
		return err
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: start: %w", script.Reference, err)
	}
	return nil
}

var errPending = errors.New("the call has not succeeded yet")

// retry repeats a call until the call succeeds, the call fails with an error of Oppflow, or the
// context ends.
func (s sender) retry(ctx context.Context, call func(context.Context) error) error {
	for {
		err := s.callWithTimeout(ctx, call)
		var own *opportunity.Error
		if err == nil || errors.As(err, &own) {
			return err
		}
		if err := sleep(ctx, retryInterval); err != nil {
			return err
		}
	}
}

func (s sender) callWithTimeout(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return call(ctx)
}

// send sends the step's message. send repeats the message under the same id when the result is
// unknown or Oppflow is busy.
func (s sender) send(ctx context.Context, reference opportunity.Reference, step Step) audit.Observation {
	for asked := 1; ; asked++ {
		observed := s.sendOnce(ctx, reference, step.Command, step.Transport)
		s.experiment.observations.add(observed)
		again := observed.Result == audit.Unknown && !step.NoRetry || observed.Result == audit.Refused && observed.Error == string(opportunity.Busy)
		// An update may wait for an operator's decision, so send limits the number of attempts of
		// an update.
		if !again || step.Transport == audit.ByUpdate && asked == maxUpdateAttempts || sleep(ctx, retryInterval) != nil {
			return observed
		}
	}
}

func (s sender) sendOnce(ctx context.Context, reference opportunity.Reference, command opportunity.Command, way audit.Transport) audit.Observation {
	payload, err := json.Marshal(command)
	observed := audit.Observation{
		Sender: s.number, Reference: reference, Request: command.GetRequestID(), Message: command.MessageName(), Payload: payload, Transport: way,
		SentAt: time.Now().UTC(), Result: audit.Unknown,
	}
	var outcome opportunity.Outcome
	if err == nil {
		err = s.callWithTimeout(ctx, func(ctx context.Context) error {
			if way == audit.BySignal {
				return s.experiment.client.Signal(ctx, reference, command)
			}
			var err error
			outcome, err = s.experiment.client.Update(ctx, reference, command)
			return err
		})
	}
	observed.Results, observed.AnsweredAt = outcome.Results, time.Now().UTC()
	var own *opportunity.Error
	switch {
	case outcome.State == opportunity.Failed:
		observed.Result = audit.Failed
	case errors.As(err, &own):
		observed.Result = audit.Refused
	case err != nil:
	case way == audit.BySignal:
		observed.Result = audit.Acknowledged
	case outcome.State == opportunity.Done:
		observed.Result = audit.Done
	default:
		observed.Result = audit.Pending
	}
	switch {
	case own != nil:
		observed.Error = string(own.Type)
	case err != nil:
		observed.Error = err.Error()
	}
	return observed
}

// terminate terminates the run when no message waits, because a waiting message would be lost.
// After the termination, terminate starts the opportunity again, and the new run finds the record
// by the reference tag. terminate does not terminate an opportunity that waits for an operator.
func (s sender) terminate(ctx context.Context, script Script) error {
	if parked, err := s.experiment.awaitQuiet(ctx, script.Reference); err != nil || parked {
		return err
	}
	id := lifecycle.WorkflowID(script.Reference)
	err := s.retry(ctx, func(ctx context.Context) error {
		about, err := s.experiment.temporal.DescribeWorkflow(ctx, id, "")
		if err != nil {
			return err
		}
		info := about.RawResponse.GetWorkflowExecutionInfo()
		run := info.GetExecution().GetRunId()
		switch info.GetStatus() {
		case enums.WORKFLOW_EXECUTION_STATUS_RUNNING:
			if err := s.experiment.temporal.TerminateWorkflow(ctx, id, run, "the chaos test"); err != nil {
				return err
			}
			return errPending // the next call checks the status
		case enums.WORKFLOW_EXECUTION_STATUS_TERMINATED:
			s.experiment.recordTermination(script.Reference, run)
			return nil
		}
		return fmt.Errorf("the run that the sender terminates has the unexpected status %v", info.GetStatus())
	})
	if err != nil {
		return err
	}
	return s.start(ctx, script)
}

var errNoRun = errors.New("the run that the chaos test resets does not exist any more")

func (s *Experiment) reset(ctx context.Context, reference opportunity.Reference, first bool) error {
	return s.resetRun(ctx, reference, s.currentRun, first)
}

// The function choose returns the run. While no worker polls for activities, resetRun resets no
// run, because the server would lose the activities that wait for a worker. A mutex prevents
// another reset between the choice of the run and the reset of the run.
func (s *Experiment) resetRun(ctx context.Context, reference opportunity.Reference, choose func(context.Context, opportunity.Reference) (string, error), first bool) error {
	if s.allFrozen.Load() {
		return errPending
	}
	s.resetMu.Lock()
	defer s.resetMu.Unlock()
	run, err := choose(ctx, reference)
	if err != nil {
		return err
	}
	if run == "" {
		return errNoRun
	}
	id := lifecycle.WorkflowID(reference)
	var to int64
	events := s.temporal.GetWorkflowHistory(ctx, id, run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return err
		}
		if event.GetEventType() == enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED && (to == 0 || !first) {
			to = event.GetEventId()
		}
	}
	if to == 0 {
		return errPending // the run has no completed workflow task yet
	}
	_, err = s.temporal.ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: s.parts.Namespace(), WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: run},
		Reason: "the chaos test", WorkflowTaskFinishEventId: to, RequestId: fmt.Sprintf("%s-%d", run, to),
	})
	if err == nil {
		s.updateReport(func(r *Report) { r.Resets++ })
		s.mu.Lock()
		defer s.mu.Unlock()
		s.resets = append(s.resets, audit.Reset{Reference: reference, At: time.Now().UTC()})
	}
	return err
}

func isBusy(err error) bool {
	var late *serviceerror.DeadlineExceeded
	var unavailable *serviceerror.Unavailable
	return errors.As(err, &late) || errors.As(err, &unavailable) || errors.Is(err, context.DeadlineExceeded)
}

// isMissing reports whether the server does not know the run, because the run began after the
// backup from which the database was restored. The experiment starts this opportunity again.
func isMissing(err error) bool {
	var missing *serviceerror.NotFound
	return errors.As(err, &missing)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
