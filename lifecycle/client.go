package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/opportunity"
)

// Client lets a service start opportunities and send them messages. It is safe
// for concurrent use.
//
// Every failure that is the opportunity's own is an *opportunity.Error
// (errors.As); anything else is about reaching Temporal. A message that names
// no request id is given one, so that a message repeated on the wire still
// takes effect once.
type Client struct {
	temporal client.Client
	options  Options
}

// Options are what a service may set for its Client. The zero value is right for
// most.
type Options struct {
	// Patience is how long Start and the commands wait for the outcome before they
	// answer that it is pending, as far as the context lets them; 0 is 20 seconds,
	// which is how long one update waits. With more the Client asks again.
	Patience time.Duration
	// NewRequestID makes up the id of a message that names none; nil makes random
	// UUIDs.
	NewRequestID func() string
}

// NewClient makes a Client over a connection to Temporal, which stays the
// caller's to close.
func NewClient(connection client.Client) *Client { return NewClientWithOptions(connection, Options{}) }

// NewClientWithOptions is NewClient with options.
func NewClientWithOptions(connection client.Client, options Options) *Client {
	if options.Patience <= 0 {
		options.Patience = opportunity.AnswerWithin
	}
	if options.NewRequestID == nil {
		options.NewRequestID = uuid.NewString
	}
	return &Client{temporal: connection, options: options}
}

// Start creates the opportunity, or adopts the record that is there, unless one
// of that reference runs already, and answers when the record exists in the TMS.
// When patience ends it answers that this is pending; the start is then accepted
// all the same, and an equal start asks again. A different start for a running reference is a Conflict, a start
// for one that has ended is Closed, and a start the API refuses is Rejected and
// frees the reference.
func (c *Client) Start(ctx context.Context, reference opportunity.Reference, start opportunity.Start) (opportunity.Opened, error) {
	if err := reference.Validate(); err != nil {
		return opportunity.Opened{}, err
	}
	if err := valid(start); err != nil {
		return opportunity.Opened{}, err
	}
	ctx = addressed(ctx, reference)
	return askAgain(ctx, c.options.Patience, func(o opportunity.Opened) opportunity.OutcomeState { return o.State }, func() (opportunity.Opened, error) {
		return c.open(ctx, reference, start)
	})
}

// open starts the run, or finds it, and asks it whether the record exists.
func (c *Client) open(ctx context.Context, reference opportunity.Reference, start opportunity.Start) (opportunity.Opened, error) {
	return repeatContinuing(ctx, func() (opportunity.Opened, error) {
		var opened opportunity.Opened
		handle, err := c.openWith(ctx, FirstStartOptions(reference, start), start)
		if isEnded(err) { // the reference had a run; it may be one that frees the reference
			handle, err = c.openWith(ctx, StartOptionsOf(reference, start), start)
		}
		if err == nil {
			err = handle.Get(ctx, &opened)
		}
		return opened, c.explain(ctx, reference, err)
	})
}

// openWith starts the run with the options, or finds the one that runs, and asks it whether the record exists.
func (c *Client) openWith(ctx context.Context, options client.StartWorkflowOptions, start opportunity.Start) (client.WorkflowUpdateHandle, error) {
	return c.temporal.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: c.temporal.NewWithStartWorkflowOperation(options, WorkflowType, start),
		UpdateOptions: client.UpdateWorkflowOptions{
			UpdateID: uuid.NewString(), WorkflowID: options.ID, UpdateName: Opened.Name,
			Args: []any{OpenedInput{Start: &start}}, WaitForStage: client.WorkflowUpdateStageCompleted,
		},
	})
}

// isEnded reports whether the server refused a start because the reference had a run that has ended.
func isEnded(err error) bool {
	var ended *serviceerror.WorkflowExecutionAlreadyStarted
	return errors.As(err, &ended)
}

// StartOptions are the options with which the workflow of a reference is
// started, the same for every caller.
func StartOptions(reference opportunity.Reference) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       WorkflowID(reference),
		TaskQueue:                TaskQueue,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
	}
}

// PriorityUrgent is the priority of the tasks of an urgent run: before all others.
const PriorityUrgent = 1

// StartOptionsOf are StartOptions with what the start says of whom it is for: its source
// is the key by which runs get their turns in fair parts, and an urgent one goes first.
func StartOptionsOf(reference opportunity.Reference, start opportunity.Start) client.StartWorkflowOptions {
	options := StartOptions(reference)
	options.Priority.FairnessKey = start.Origin()
	if start.Urgent {
		options.Priority.PriorityKey = PriorityUrgent
	}
	return options
}

// MemoFirstStart is the key of a memo that says that the reference had no run before: the server refuses the start
// otherwise. It goes together with the workflow id reuse policy RejectDuplicate, and with no other. Without it the
// record is looked for before it is created, which costs one request.
const MemoFirstStart = "firstStart"

// FirstStartOptions are StartOptionsOf for a reference that is started for the first time. The server refuses the
// start with WorkflowExecutionAlreadyStarted where the reference had a run, however the run ended.
func FirstStartOptions(reference opportunity.Reference, start opportunity.Start) client.StartWorkflowOptions {
	options := StartOptionsOf(reference, start)
	options.WorkflowIDReusePolicy = enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
	options.Memo = map[string]any{MemoFirstStart: true}
	return options
}

// AddInterests adds interests and answers one result for each. The error is set
// when none of them stands.
func (c *Client) AddInterests(ctx context.Context, reference opportunity.Reference, command opportunity.AddInterests) (opportunity.Outcome, error) {
	return c.Update(ctx, reference, command)
}

// Progress moves the opportunity to another step. Without a transition that
// leads there the error is TransitionNotFound.
func (c *Client) Progress(ctx context.Context, reference opportunity.Reference, command opportunity.Progress) (opportunity.Outcome, error) {
	return c.Update(ctx, reference, command)
}

// UpdateDetails sets name, account or currency.
func (c *Client) UpdateDetails(ctx context.Context, reference opportunity.Reference, command opportunity.UpdateDetails) (opportunity.Outcome, error) {
	return c.Update(ctx, reference, command)
}

// ExtendReservations sets until when the places of the opportunity are held. The
// error is Rejected when the API, read back, says that they are not.
func (c *Client) ExtendReservations(ctx context.Context, reference opportunity.Reference, command opportunity.ExtendReservations) (opportunity.Outcome, error) {
	return c.Update(ctx, reference, command)
}

// Update sends the command as an update and answers its outcome. When patience
// ends the outcome is pending; the same command with the same request id asks
// again, and so does Outcome. The outcome of a failed request is answered beside
// its error.
func (c *Client) Update(ctx context.Context, reference opportunity.Reference, command opportunity.Command) (opportunity.Outcome, error) {
	if err := valid(command); err != nil {
		return opportunity.Outcome{}, err
	}
	command = c.named(command)
	outcome, err := askAgain(ctx, c.options.Patience, func(o opportunity.Outcome) opportunity.OutcomeState { return o.State }, func() (opportunity.Outcome, error) {
		return send[opportunity.Outcome](ctx, c, reference, command)
	})
	if err == nil && outcome.State == opportunity.Failed && outcome.Error != nil {
		err = outcome.Error
	}
	return outcome, err
}

// Signal sends the message and forgets it: once Signal returns nil, a command
// takes effect once, or its failure is shown to an operator. Busy says that
// Temporal takes no more signals until some are worked off.
func (c *Client) Signal(ctx context.Context, reference opportunity.Reference, message opportunity.Message) error {
	if err := reference.Validate(); err != nil {
		return err
	}
	if err := valid(message); err != nil {
		return err
	}
	ctx = addressed(ctx, reference)
	err := c.temporal.SignalWorkflow(ctx, WorkflowID(reference), "", string(message.Verb()), c.identified(message))
	return c.explain(ctx, reference, err)
}

// Pause keeps everything from being sent to the TMS: signals wait, updates are
// refused as Paused. A request under way is seen through.
func (c *Client) Pause(ctx context.Context, reference opportunity.Reference, instruction opportunity.Pause) (opportunity.Outcome, error) {
	return c.Instruct(ctx, reference, instruction)
}

// Resume ends a pause.
func (c *Client) Resume(ctx context.Context, reference opportunity.Reference, instruction opportunity.Resume) (opportunity.Outcome, error) {
	return c.Instruct(ctx, reference, instruction)
}

// Retry answers the question about a request: it did not happen, send it again.
// What becomes of it then, Outcome tells.
func (c *Client) Retry(ctx context.Context, reference opportunity.Reference, instruction opportunity.Retry) (opportunity.Outcome, error) {
	return c.Instruct(ctx, reference, instruction)
}

// Confirm answers the question about a request: it did happen.
func (c *Client) Confirm(ctx context.Context, reference opportunity.Reference, instruction opportunity.Confirm) (opportunity.Outcome, error) {
	return c.Instruct(ctx, reference, instruction)
}

// Skip answers the question about a request: never mind.
func (c *Client) Skip(ctx context.Context, reference opportunity.Reference, instruction opportunity.Skip) (opportunity.Outcome, error) {
	return c.Instruct(ctx, reference, instruction)
}

// Refresh has the record read again from the TMS, where somebody may have changed
// it by hand, and cuts a wait for the API short.
func (c *Client) Refresh(ctx context.Context, reference opportunity.Reference, instruction opportunity.Refresh) (opportunity.Outcome, error) {
	return c.Instruct(ctx, reference, instruction)
}

// Snooze puts a planned follow-up off until a time to come. View shows what is planned.
func (c *Client) Snooze(ctx context.Context, reference opportunity.Reference, instruction opportunity.Snooze) (opportunity.Outcome, error) {
	return c.Instruct(ctx, reference, instruction)
}

// CancelFollowUp has a planned follow-up never done.
func (c *Client) CancelFollowUp(ctx context.Context, reference opportunity.Reference, instruction opportunity.CancelFollowUp) (opportunity.Outcome, error) {
	return c.Instruct(ctx, reference, instruction)
}

// Close ends the run: what waits is reported failed, places are given back, and
// the step in the TMS stays as it is.
func (c *Client) Close(ctx context.Context, reference opportunity.Reference, instruction opportunity.Close) (opportunity.Outcome, error) {
	return c.Instruct(ctx, reference, instruction)
}

// Instruct sends an operator's instruction, which is carried out and answered at
// once, whatever waits.
func (c *Client) Instruct(ctx context.Context, reference opportunity.Reference, instruction opportunity.Instruction) (opportunity.Outcome, error) {
	if err := valid(instruction); err != nil {
		return opportunity.Outcome{}, err
	}
	return send[opportunity.Outcome](ctx, c, reference, c.identified(instruction))
}

// Outcome answers what became of a request: whether it is pending, done or
// failed, and how, of the last 200 requests in full. A request that was never
// sent, or is forgotten, is NotFound; one that waited when the run was terminated or
// timed out is Closed: where it was under way, it may have been carried out.
func (c *Client) Outcome(ctx context.Context, reference opportunity.Reference, requestID string) (opportunity.Outcome, error) {
	var outcome opportunity.Outcome
	if err := reference.Validate(); err != nil {
		return outcome, err
	}
	ctx = addressed(ctx, reference)
	value, err := c.temporal.QueryWorkflow(ctx, WorkflowID(reference), "", OutcomeOf.Name, OutcomeInput{RequestID: requestID})
	if err == nil {
		err = value.Get(&outcome)
	}
	if err != nil {
		return outcome, c.explain(ctx, reference, err)
	}
	return c.judged(ctx, reference, outcome), nil
}

// View answers the whole picture, of an ended opportunity too, as long as
// Temporal keeps its history. It needs a running worker.
func (c *Client) View(ctx context.Context, reference opportunity.Reference) (opportunity.View, error) {
	var view opportunity.View
	if err := reference.Validate(); err != nil {
		return view, err
	}
	ctx = addressed(ctx, reference)
	value, err := c.temporal.QueryWorkflow(ctx, WorkflowID(reference), "", View.Name)
	if err == nil {
		err = value.Get(&view)
	}
	return view, c.explain(ctx, reference, err)
}

// Wait waits for the end of the opportunity and answers how it ended. A
// cancelled one is Closed, one the API refused to create is Rejected.
func (c *Client) Wait(ctx context.Context, reference opportunity.Reference) (opportunity.Ended, error) {
	var ended opportunity.Ended
	if err := reference.Validate(); err != nil {
		return ended, err
	}
	ctx = addressed(ctx, reference)
	err := c.temporal.GetWorkflow(ctx, WorkflowID(reference), "").Get(ctx, &ended)
	var cancelled *temporal.CanceledError
	if errors.As(err, &cancelled) {
		return ended, opportunity.Failf(opportunity.Closed, "opportunity %s was cancelled", reference)
	}
	return ended, c.explain(ctx, reference, err)
}

// valid reports the first mistake of what is to be sent.
func valid(message interface{ Validate() error }) error {
	if err := message.Validate(); err != nil {
		return err
	}
	data, err := json.Marshal(message)
	if err == nil && len(data) > opportunity.MaxCommandBytes {
		return opportunity.Invalidf("%d bytes of JSON; at most %d", len(data), opportunity.MaxCommandBytes)
	}
	return err
}

// send sends an update until the run that takes it is not about to continue.
func send[A any](ctx context.Context, c *Client, reference opportunity.Reference, message opportunity.Message) (A, error) {
	var none A
	if err := reference.Validate(); err != nil {
		return none, err
	}
	ctx = addressed(ctx, reference)
	return repeatContinuing(ctx, func() (A, error) {
		var answer A
		handle, err := c.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
			UpdateID: uuid.NewString(), WorkflowID: WorkflowID(reference), UpdateName: string(message.Verb()),
			Args: []any{message}, WaitForStage: client.WorkflowUpdateStageCompleted,
		})
		if err == nil {
			err = handle.Get(ctx, &answer)
		}
		return answer, c.explain(ctx, reference, err)
	})
}

// named gives the command a request id when it has none.
func (c *Client) named(command opportunity.Command) opportunity.Command {
	if command.ID() != "" {
		return command
	}
	return command.WithID(c.options.NewRequestID())
}

// identified gives any message a request id when it has none.
func (c *Client) identified(message opportunity.Message) opportunity.Message {
	switch message := message.(type) {
	case opportunity.Command:
		return c.named(message)
	case opportunity.Instruction:
		if message.ID() == "" {
			return message.WithID(c.options.NewRequestID())
		}
	}
	return message
}

// askAgain asks until the answer is no longer pending, or patience or the context
// has ended. Asking again finds the request by its id.
func askAgain[A any](ctx context.Context, patience time.Duration, state func(A) opportunity.OutcomeState, asking func() (A, error)) (A, error) {
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
			break // what was known before still holds
		}
		answer, err = again, failed
	}
	return answer, err
}

// repeatContinuing sends again while the run is about to continue as new, or could
// not take the message since something else came in the same moment, which both
// take a moment; the caller's context bounds it. The request id makes it safe.
func repeatContinuing[A any](ctx context.Context, sending func() (A, error)) (A, error) {
	pause := 50 * time.Millisecond
	for {
		answer, err := sending()
		var own *opportunity.Error
		var notReady *serviceerror.WorkflowNotReady
		if (!errors.As(err, &own) || own.Type != opportunity.Continuing) && !errors.As(err, &notReady) {
			return answer, err
		}
		select {
		case <-ctx.Done():
			return answer, err
		case <-time.After(pause):
		}
		pause = min(2*pause, time.Second)
	}
}

// tooManySignals is what the server answers to a signal past the most one run
// may have.
const tooManySignals = "limit for signal events"

// acceptedThenEnded is the type of the failure the server gives an update whose
// run ended before it was answered.
const acceptedThenEnded = "AcceptedUpdateCompletedWorkflow"

// explain maps what Temporal answers to the vocabulary, where it is about the
// opportunity.
func (c *Client) explain(ctx context.Context, reference opportunity.Reference, err error) error {
	if err == nil {
		return nil
	}
	if own, ok := FromFault(err); ok {
		return own
	}
	var missing *serviceerror.NotFound
	var application *temporal.ApplicationError
	var invalid *serviceerror.InvalidArgument
	switch {
	case errors.As(err, &invalid) && strings.Contains(invalid.Message, tooManySignals):
		return opportunity.Failf(opportunity.Busy, "too many messages wait for opportunity %s; send it again later", reference)
	case isEnded(err):
		return opportunity.Failf(opportunity.Closed, "opportunity %s has ended; its reference cannot be used again", reference)
	case errors.As(err, &application) && application.Type() == acceptedThenEnded:
		return opportunity.Failf(opportunity.Closed, "opportunity %s ended before it answered", reference)
	case errors.As(err, &missing):
		if c.exists(ctx, reference) {
			return opportunity.Failf(opportunity.Closed, "opportunity %s has ended; it takes no more messages", reference)
		}
		return opportunity.Failf(opportunity.NotFound, "no opportunity %s; start it first", reference)
	}
	return err
}

// exists reports whether the namespace knows a run of the reference.
func (c *Client) exists(ctx context.Context, reference opportunity.Reference) bool {
	_, err := c.described(ctx, reference)
	return err == nil
}

// described returns what the server knows of the latest run of the reference. The SDK
// panics over search attributes that it cannot read, unless they are asked for as they are.
func (c *Client) described(ctx context.Context, reference opportunity.Reference) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return c.temporal.DescribeWorkflowExecution(ctx, WorkflowID(reference), "") //nolint:staticcheck // the other one panics
}
