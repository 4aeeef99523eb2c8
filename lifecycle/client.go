package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/google/uuid"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/opportunity"
)

// Client lets a service start opportunities and send them messages. A Client is safe for concurrent
// use.
//
// Every failure of the opportunity itself is an *opportunity.Error (errors.As). Any other error is
// about the connection to Temporal. The Client gives a request id to a message without one, so that
// a repeated message takes effect once.
type Client struct {
	temporal client.Client
	options  Options
}

// Options are the settings of a Client. The zero value is right for most services.
type Options struct {
	// MaxWait is how long Start and the commands wait for the outcome before they return a pending
	// outcome, if the context allows; 0 is 20 seconds, the time that one update waits. With a
	// longer MaxWait, the Client repeats the update under the same request id.
	MaxWait time.Duration
	// NewRequestID makes the id of a message that has none; nil makes random UUIDs.
	NewRequestID func() string
}

// NewClient returns a Client that uses a connection to Temporal. The caller closes the connection.
func NewClient(connection client.Client) *Client { return NewClientWithOptions(connection, Options{}) }

// NewClientWithOptions is NewClient with options.
func NewClientWithOptions(connection client.Client, options Options) *Client {
	if options.MaxWait <= 0 {
		options.MaxWait = opportunity.MaxUpdateWait
	}
	if options.NewRequestID == nil {
		options.NewRequestID = uuid.NewString
	}
	return &Client{temporal: connection, options: options}
}

// Start creates the opportunity, or adopts the existing record, unless an opportunity of that
// reference runs already. Start returns when the record exists in the TMS. When Options.MaxWait
// ends, Start returns a pending result, and the start stays accepted. To request the result again,
// call Start with an equal start.
//
// Start returns Conflict for a different start of a running reference. Start returns Closed for a
// reference whose opportunity has ended. When the API rejects the start, Start returns Rejected,
// and the reference can be used again.
func (c *Client) Start(ctx context.Context, reference opportunity.Reference, start opportunity.Start) (opportunity.CreateOutcome, error) {
	if err := reference.Validate(); err != nil {
		return opportunity.CreateOutcome{}, err
	}
	if err := validate(start); err != nil {
		return opportunity.CreateOutcome{}, err
	}
	ctx = withResourceHeader(ctx, reference)
	return pollUntilFinal(ctx, c.options.MaxWait, func(o opportunity.CreateOutcome) opportunity.OutcomeState { return o.State }, func() (opportunity.CreateOutcome, error) {
		return c.startRun(ctx, reference, start)
	})
}

// startRun starts the run, or finds the running one, and requests the create outcome.
func (c *Client) startRun(ctx context.Context, reference opportunity.Reference, start opportunity.Start) (opportunity.CreateOutcome, error) {
	return retryWhileContinuing(ctx, func() (opportunity.CreateOutcome, error) {
		var opened opportunity.CreateOutcome
		handle, err := c.startRunWith(ctx, FirstStartOptions(reference, start), start)
		if isEnded(err) { // the reference had a run; that run may have freed the reference
			handle, err = c.startRunWith(ctx, StartOptionsOf(reference, start), start)
		}
		if err != nil {
			return opened, c.contractError(ctx, reference, err)
		}
		err = handle.Get(ctx, &opened)
		return opened, c.updateError(ctx, reference, handle.RunID(), err)
	})
}

// startRunWith starts the run with the options, or finds the running one, and requests the create
// outcome.
func (c *Client) startRunWith(ctx context.Context, options client.StartWorkflowOptions, start opportunity.Start) (client.WorkflowUpdateHandle, error) {
	return c.temporal.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: c.temporal.NewWithStartWorkflowOperation(options, WorkflowType, start),
		UpdateOptions: client.UpdateWorkflowOptions{
			UpdateID: uuid.NewString(), WorkflowID: options.ID, UpdateName: CreateOutcome.Name,
			Args: []any{CreateOutcomeInput{Start: &start}}, WaitForStage: client.WorkflowUpdateStageCompleted,
		},
	})
}

// isEnded reports whether the server rejected a start because the reference had a run that has
// ended.
func isEnded(err error) bool {
	var ended *serviceerror.WorkflowExecutionAlreadyStarted
	return errors.As(err, &ended)
}

// StartOptions returns the options that start the workflow of a reference, the same for
// every caller.
func StartOptions(reference opportunity.Reference) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       WorkflowID(reference),
		TaskQueue:                TaskQueue,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
	}
}

// PriorityUrgent is the priority of the tasks of an urgent run. Temporal dispatches these tasks
// before all others.
const PriorityUrgent = 1

// StartOptionsOf returns StartOptions with the source and the urgency of the start. The source is
// the fairness key of the run. The tasks of an urgent run have PriorityUrgent.
func StartOptionsOf(reference opportunity.Reference, start opportunity.Start) client.StartWorkflowOptions {
	options := StartOptions(reference)
	options.Priority.FairnessKey = start.FairnessKey()
	if start.Urgent {
		options.Priority.PriorityKey = PriorityUrgent
	}
	return options
}

// MemoFirstStart is the key of a memo that says that the reference had no run before. A start with
// this memo must have the workflow id reuse policy RejectDuplicate. With this policy the server
// rejects a start whose reference had a run. Without the memo, the worker searches the TMS for the
// record before it creates one. The search costs one request.
const MemoFirstStart = "firstStart"

// FirstStartOptions returns StartOptionsOf for a reference that is started for the first time. The
// server rejects the start with WorkflowExecutionAlreadyStarted when the reference had a run,
// however the run ended.
func FirstStartOptions(reference opportunity.Reference, start opportunity.Start) client.StartWorkflowOptions {
	options := StartOptionsOf(reference, start)
	options.WorkflowIDReusePolicy = enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
	options.Memo = map[string]any{MemoFirstStart: true}
	return options
}

// Update sends the message as an update and returns its outcome. An operator command takes effect
// and returns its outcome at once, before all waiting commands. When Options.MaxWait ends, the
// outcome of a command is pending. To request the outcome again, call Update with the same command
// and request id, or call Outcome. For a failed request, Update returns the outcome together with
// its error.
func (c *Client) Update(ctx context.Context, reference opportunity.Reference, message opportunity.Message) (opportunity.Outcome, error) {
	if err := validate(message); err != nil {
		return opportunity.Outcome{}, err
	}
	message = c.withRequestID(message)
	outcome, err := pollUntilFinal(ctx, c.options.MaxWait, func(o opportunity.Outcome) opportunity.OutcomeState { return o.State }, func() (opportunity.Outcome, error) {
		return send[opportunity.Outcome](ctx, c, reference, message)
	})
	if err == nil && outcome.State == opportunity.Failed && outcome.Error != nil {
		err = outcome.Error
	}
	return outcome, err
}

// Signal sends the message and does not wait. If Signal returns nil, the command takes effect once,
// or an operator sees its failure. The error Busy means that Temporal accepts no more signals until
// the run has handled some.
func (c *Client) Signal(ctx context.Context, reference opportunity.Reference, message opportunity.Message) error {
	if err := reference.Validate(); err != nil {
		return err
	}
	if err := validate(message); err != nil {
		return err
	}
	ctx = withResourceHeader(ctx, reference)
	err := c.temporal.SignalWorkflow(ctx, WorkflowID(reference), "", string(message.MessageName()), c.withRequestID(message))
	return c.contractError(ctx, reference, err)
}

// Outcome returns the state of a request: pending, done or failed. For the last 200 requests the
// outcome is complete. The result is NotFound for a request that was never sent or that the run no
// longer keeps. The result is Closed for a request that waited when the run was terminated or timed
// out. If a worker was executing this request, the API may have made its change.
func (c *Client) Outcome(ctx context.Context, reference opportunity.Reference, requestID string) (opportunity.Outcome, error) {
	var outcome opportunity.Outcome
	if err := reference.Validate(); err != nil {
		return outcome, err
	}
	ctx = withResourceHeader(ctx, reference)
	value, err := c.temporal.QueryWorkflow(ctx, WorkflowID(reference), "", OutcomeOf.Name, OutcomeInput{RequestID: requestID})
	if err == nil {
		err = value.Get(&outcome)
	}
	if err != nil {
		return outcome, c.contractError(ctx, reference, err)
	}
	return c.withRunEnd(ctx, reference, outcome), nil
}

// View returns the view of a running or ended opportunity, as long as Temporal keeps the run's
// history. View needs a running worker.
func (c *Client) View(ctx context.Context, reference opportunity.Reference) (opportunity.View, error) {
	var view opportunity.View
	if err := reference.Validate(); err != nil {
		return view, err
	}
	ctx = withResourceHeader(ctx, reference)
	value, err := c.temporal.QueryWorkflow(ctx, WorkflowID(reference), "", View.Name)
	if err == nil {
		err = value.Get(&view)
	}
	return view, c.contractError(ctx, reference, err)
}

// Wait waits for the end of the opportunity and returns its result. Wait returns Closed when the
// opportunity was cancelled, and Rejected when the API rejected it.
func (c *Client) Wait(ctx context.Context, reference opportunity.Reference) (opportunity.RunResult, error) {
	var ended opportunity.RunResult
	if err := reference.Validate(); err != nil {
		return ended, err
	}
	ctx = withResourceHeader(ctx, reference)
	err := c.temporal.GetWorkflow(ctx, WorkflowID(reference), "").Get(ctx, &ended)
	var cancelled *temporal.CanceledError
	if errors.As(err, &cancelled) {
		return ended, opportunity.Failf(opportunity.Closed, "opportunity %s was cancelled", reference)
	}
	return ended, c.contractError(ctx, reference, err)
}

// validate reports the first mistake in a message.
func validate(message interface{ Validate() error }) error {
	if err := message.Validate(); err != nil {
		return err
	}
	data, err := json.Marshal(message)
	if err == nil && len(data) > opportunity.MaxCommandBytes {
		return opportunity.Invalidf("the message has %d bytes as JSON; the limit is %d bytes", len(data), opportunity.MaxCommandBytes)
	}
	return err
}

// send sends an update again while the run is about to continue as new.
func send[A any](ctx context.Context, c *Client, reference opportunity.Reference, message opportunity.Message) (A, error) {
	var none A
	if err := reference.Validate(); err != nil {
		return none, err
	}
	ctx = withResourceHeader(ctx, reference)
	return retryWhileContinuing(ctx, func() (A, error) {
		var answer A
		handle, err := c.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
			UpdateID: uuid.NewString(), WorkflowID: WorkflowID(reference), UpdateName: string(message.MessageName()),
			Args: []any{message}, WaitForStage: client.WorkflowUpdateStageCompleted,
		})
		if err != nil {
			return answer, c.contractError(ctx, reference, err)
		}
		err = handle.Get(ctx, &answer)
		return answer, c.updateError(ctx, reference, handle.RunID(), err)
	})
}

// withRequestID returns the message, with a new request id when it has none.
func (c *Client) withRequestID(message opportunity.Message) opportunity.Message {
	if message.GetRequestID() != "" {
		return message
	}
	switch message := message.(type) {
	case opportunity.Command:
		return message.WithRequestID(c.options.NewRequestID())
	case opportunity.OperatorCommand:
		return message.WithRequestID(c.options.NewRequestID())
	}
	return message
}

// pollUntilFinal repeats a request until its outcome is no longer pending, or until patience or the
// context ends. The worker recognizes a repeated request by its request id.
func pollUntilFinal[A any](ctx context.Context, patience time.Duration, state func(A) opportunity.OutcomeState, asking func() (A, error)) (A, error) {
	ends := time.Now().Add(patience)
	pause := 250 * time.Millisecond
	answer, err := asking()
	for err == nil && state(answer) == opportunity.Pending && time.Now().Add(pause).Before(ends) {
		select {
		case <-ctx.Done():
			return answer, nil
		case <-time.After(pause):
		}
		pause = min(2*pause, 2*time.Second)
		again, failed := asking()
		if failed != nil && ctx.Err() != nil {
			break // the earlier outcome is still valid
		}
		answer, err = again, failed
	}
	return answer, err
}

// retryWhileContinuing repeats the sending while the run is about to continue as new. The function
// also repeats the sending when the run could not accept the message because of a concurrent event
// (WorkflowNotReady). A run is continuing or not ready for a short time only. The caller's context
// limits the repetition. The request id makes a repetition safe.
func retryWhileContinuing[A any](ctx context.Context, sending func() (A, error)) (A, error) {
	var last error
	answer, _ := backoff.Retry(ctx, func() (answer A, err error) {
		answer, last = sending()
		var own *opportunity.Error
		var notReady *serviceerror.WorkflowNotReady
		if errors.As(last, &own) && own.Type == opportunity.Continuing || errors.As(last, &notReady) {
			return answer, last
		}
		return answer, backoff.Permanent(last)
	}, backoff.WithBackOff(&backoff.ExponentialBackOff{InitialInterval: 50 * time.Millisecond, Multiplier: 2, MaxInterval: time.Second}), backoff.WithMaxElapsedTime(0))
	return answer, last
}

// tooManySignals is part of the server's error for a signal above the limit of one run.
const tooManySignals = "limit for signal events"

// runEndedBeforeAnswer is the type of the server's error for an update whose run ended before the
// update returned.
const runEndedBeforeAnswer = "AcceptedUpdateCompletedWorkflow"

// contractError turns an error of Temporal into an *opportunity.Error, when the error is about the
// opportunity.
func (c *Client) contractError(ctx context.Context, reference opportunity.Reference, err error) error {
	if err == nil {
		return nil
	}
	if own, ok := FromTemporalError(err); ok {
		return own
	}
	var missing *serviceerror.NotFound
	var application *temporal.ApplicationError
	var invalid *serviceerror.InvalidArgument
	switch {
	case errors.As(err, &invalid) && strings.Contains(invalid.Message, tooManySignals):
		return opportunity.Failf(opportunity.Busy, "too many messages wait for opportunity %s; send the message again later", reference)
	case isEnded(err):
		return opportunity.Failf(opportunity.Closed, "opportunity %s has ended; its reference cannot be used again", reference)
	case errors.As(err, &application) && application.Type() == runEndedBeforeAnswer:
		return opportunity.Failf(opportunity.Closed, "opportunity %s ended before it returned an outcome", reference)
	case errors.As(err, &missing):
		if c.hasRun(ctx, reference) {
			return opportunity.Failf(opportunity.Closed, "opportunity %s has ended; it accepts no more messages", reference)
		}
		return opportunity.Failf(opportunity.NotFound, "there is no opportunity %s; start the opportunity first", reference)
	}
	return err
}

// updateError is contractError for an update that the run has accepted. When that run was reset,
// the server has delivered the update to the new run as well, and the update can be sent again
// under its request id.
func (c *Client) updateError(ctx context.Context, reference opportunity.Reference, run string, err error) error {
	var application *temporal.ApplicationError
	if errors.As(err, &application) && application.Type() == runEndedBeforeAnswer && c.wasReset(ctx, reference, run) {
		return opportunity.Failf(opportunity.Continuing, "the run of opportunity %s was reset before the run returned an outcome; send the message again", reference)
	}
	return c.contractError(ctx, reference, err)
}

// wasReset reports whether a reset replaced the run by a run that is open or was continued by an
// open run. The open run then has the same first run id as the given run. A run from a new start
// has another first run id.
func (c *Client) wasReset(ctx context.Context, reference opportunity.Reference, run string) bool {
	before, err := c.temporal.DescribeWorkflowExecution(ctx, WorkflowID(reference), run) //nolint:staticcheck // the other one panics
	if err != nil {
		return false
	}
	now, err := c.describe(ctx, reference)
	first := before.GetWorkflowExecutionInfo().GetFirstRunId()
	return err == nil && first != "" && now.GetWorkflowExecutionInfo().GetFirstRunId() == first &&
		now.GetWorkflowExecutionInfo().GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_RUNNING
}

// hasRun reports whether the namespace knows a run of the reference.
func (c *Client) hasRun(ctx context.Context, reference opportunity.Reference) bool {
	_, err := c.describe(ctx, reference)
	return err == nil
}

// describe returns the server's description of the latest run of the reference. describe uses the
// raw request, because the SDK's own method panics over search attributes that it cannot read.
func (c *Client) describe(ctx context.Context, reference opportunity.Reference) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return c.temporal.DescribeWorkflowExecution(ctx, WorkflowID(reference), "") //nolint:staticcheck // the other one panics
}
