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

// Client starts opportunities and sends messages to opportunities, on behalf of a service. A Client
// is safe for concurrent use.
//
// Every error that concerns the opportunity itself is an *opportunity.Error (use errors.As). Any
// other error concerns the connection to Temporal. The Client adds a request id to a message
// without a request id, so that the Client can repeat the message safely.
type Client struct {
	temporal client.Client
	options  Options
}

// Options are the settings of a Client. The zero value is suitable for most services.
type Options struct {
	// MaxWait is the longest time that Start and Update wait for an outcome before they return a
	// pending outcome. If the context ends earlier, Start and Update return earlier. MaxWait 0 means
	// 20 seconds, which is the time that one update waits. For a longer MaxWait, the Client repeats
	// the update with the same request id.
	MaxWait time.Duration
	// NewRequestID returns the request id for a message without a request id. If NewRequestID is
	// nil, the request ids are random UUIDs.
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

// Start creates the opportunity or adopts the existing record, unless an opportunity with the
// reference is already running. Start returns when the record exists in the TMS. When
// Options.MaxWait is over, Start returns a pending result, and Oppflow continues with the start. To
// get the result later, call Start again with an equal start.
//
// Start returns the error Conflict when an opportunity with the reference is running and was
// started with a different start. Start returns the error Closed when the opportunity with the
// reference has ended, unless the start adopts a record. After an opportunity has ended, a start
// can adopt only a record that has the tag of the reference; for any other record, Start returns
// the error Conflict. When the API rejects the start, Start returns the error Rejected, and the
// reference can be used for a new start.
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

func (c *Client) startRun(ctx context.Context, reference opportunity.Reference, start opportunity.Start) (opportunity.CreateOutcome, error) {
	return retryWhileContinuing(ctx, func() (opportunity.CreateOutcome, error) {
		var opened opportunity.CreateOutcome
		handle, err := c.startRunWith(ctx, FirstStartOptions(reference, start), start)
		if isEnded(err) { // an earlier run of the reference has ended; a failed run leaves the reference free
			options := StartOptionsOf(reference, start)
			if start.Adopt != "" { // the worker returns a Conflict if the record has no tag with this reference
				options.WorkflowIDReusePolicy = enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
			}
			handle, err = c.startRunWith(ctx, options, start)
		}
		if err != nil {
			return opened, c.contractError(ctx, reference, err)
		}
		err = handle.Get(ctx, &opened)
		return opened, c.updateError(ctx, reference, handle.RunID(), err)
	})
}

func (c *Client) startRunWith(ctx context.Context, options client.StartWorkflowOptions, start opportunity.Start) (client.WorkflowUpdateHandle, error) {
	return c.temporal.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: c.temporal.NewWithStartWorkflowOperation(options, WorkflowType, start),
		UpdateOptions: client.UpdateWorkflowOptions{
			UpdateID: uuid.NewString(), WorkflowID: options.ID, UpdateName: CreateOutcome.Name,
			Args: []any{CreateOutcomeInput{Start: &start}}, WaitForStage: client.WorkflowUpdateStageCompleted,
		},
	})
}

// isEnded reports whether the server rejected a start because the latest run of the reference has
// ended.
func isEnded(err error) bool {
	var ended *serviceerror.WorkflowExecutionAlreadyStarted
	return errors.As(err, &ended)
}

// StartOptions returns the options with which every caller starts the workflow of a reference.
func StartOptions(reference opportunity.Reference) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       WorkflowID(reference),
		TaskQueue:                TaskQueue,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
	}
}

// PriorityUrgent is the priority of the tasks of an urgent run. Temporal dispatches the tasks of
// urgent runs before all other tasks.
const PriorityUrgent = 1

// StartOptionsOf returns StartOptions with the fairness key of the start, and with PriorityUrgent
// for an urgent start.
func StartOptionsOf(reference opportunity.Reference, start opportunity.Start) client.StartWorkflowOptions {
	options := StartOptions(reference)
	options.Priority.FairnessKey = start.FairnessKey()
	if start.Urgent {
		options.Priority.PriorityKey = PriorityUrgent
	}
	return options
}

// MemoFirstStart is the key of a memo that says that the reference had no earlier run. A start with
// this memo must have the workflow id reuse policy RejectDuplicate, so that the server rejects the
// start when the reference had an earlier run. Without the memo, the worker first searches the TMS
// for the record, which costs one API request.
const MemoFirstStart = "firstStart"

// FirstStartOptions returns the options of StartOptionsOf for the first start of a reference. The
// server rejects the start with WorkflowExecutionAlreadyStarted when the reference had an earlier
// run, even a failed run.
func FirstStartOptions(reference opportunity.Reference, start opportunity.Start) client.StartWorkflowOptions {
	options := StartOptionsOf(reference, start)
	options.WorkflowIDReusePolicy = enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
	options.Memo = map[string]any{MemoFirstStart: true}
	return options
}

// Update sends the message as an update and returns the outcome of the message. An operator command
// takes effect at once, before all queued commands. If a command has no final outcome when
// Options.MaxWait is over, Update returns a pending outcome. To get the final outcome later, call
// Update with the same command and request id, or call Outcome. For a failed request, Update
// returns both the outcome and the error in the outcome.
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

// Signal sends the message as a signal and does not wait for an outcome. If Signal returns nil, the
// command takes effect once or its failure raises attention. The error Busy means that Temporal
// accepts no more signals for the run until the run has handled some signals.
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

// Outcome returns the outcome of a request, whose state is pending, done or failed. For the last
// 200 requests the outcome has all members; for older requests the outcome has only the state.
// Outcome returns the error NotFound for a request that was never sent or that the run no longer
// remembers. If a request waited when the run was terminated or timed out, its outcome has the
// error Closed. If a worker was executing the request when the run ended, the API may have made the
// change.
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

// View returns the view of a running or ended opportunity, while Temporal still has the history of
// the run. View needs a running worker.
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

// pollUntilFinal repeats a request while its outcome is pending, but at most for the time patience,
// and at most until the context ends. The worker recognizes a repeated request by its request id.
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

// retryWhileContinuing calls sending again while the run is about to continue as new, and while the
// server returns WorkflowNotReady. A repeated message is safe, because it has the same request id.
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

// tooManySignals is part of the error that the server returns when a run has the maximum number of
// signals.
const tooManySignals = "limit for signal events"

// runEndedBeforeAnswer is the type of the error that the server returns for an accepted update when
// the run ends before the update returns.
const runEndedBeforeAnswer = "AcceptedUpdateCompletedWorkflow"

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
		return opportunity.Failf(opportunity.Closed, "opportunity %s has ended; only a start that adopts its record can use its reference again", reference)
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

// updateError converts an error as contractError does, for an update that the run has accepted.
// After a reset, the server has also delivered the update to the new run, so the caller can send
// the update again with the same request id.
func (c *Client) updateError(ctx context.Context, reference opportunity.Reference, run string, err error) error {
	var application *temporal.ApplicationError
	if errors.As(err, &application) && application.Type() == runEndedBeforeAnswer && c.wasReset(ctx, reference, run) {
		return opportunity.Failf(opportunity.Continuing, "the run of opportunity %s was reset before the run returned an outcome; send the message again", reference)
	}
	return c.contractError(ctx, reference, err)
}

// wasReset reports whether a reset replaced the given run with a run that is still open or has
// continued as new to an open run. The open run has the same first run id as the replaced run.
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

func (c *Client) hasRun(ctx context.Context, reference opportunity.Reference) bool {
	_, err := c.describe(ctx, reference)
	return err == nil
}

// describe returns the server's description of the latest run of the reference. describe sends the
// raw gRPC request, because the SDK's own method panics when it cannot decode a search attribute.
func (c *Client) describe(ctx context.Context, reference opportunity.Reference) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return c.temporal.DescribeWorkflowExecution(ctx, WorkflowID(reference), "") //nolint:staticcheck // the other one panics
}
