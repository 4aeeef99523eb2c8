package lifecycle

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/opportunity"
)

// Client lets a service start opportunities and send them messages. It is safe
// for concurrent use.
//
// Every failure that is the opportunity's own is an *opportunity.Error
// (errors.As); anything else is about reaching Temporal. A command that names
// no request id is given one, so that a message repeated on the wire still
// takes effect once.
type Client struct {
	temporal client.Client
}

// NewClient makes a Client over a connection to Temporal, which stays the
// caller's to close.
func NewClient(connection client.Client) *Client { return &Client{temporal: connection} }

// Start creates the opportunity, unless one of that reference runs already, and
// answers when the record exists in the TMS. After 20 seconds it answers that
// this is pending; the start is then accepted all the same, and an equal start
// asks again. A different start for a running reference is a Conflict, a start
// for one that has ended is Closed, and a start the API refuses is Rejected and
// frees the reference.
func (c *Client) Start(ctx context.Context, reference opportunity.Reference, start opportunity.Start) (opportunity.Opened, error) {
	if err := reference.Validate(); err != nil {
		return opportunity.Opened{}, err
	}
	if err := start.Validate(); err != nil {
		return opportunity.Opened{}, err
	}
	return repeatContinuing(ctx, func() (opportunity.Opened, error) {
		var opened opportunity.Opened
		handle, err := c.temporal.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
			StartWorkflowOperation: c.temporal.NewWithStartWorkflowOperation(StartOptions(reference), WorkflowType, start),
			UpdateOptions: client.UpdateWorkflowOptions{
				UpdateID: uuid.NewString(), WorkflowID: WorkflowID(reference), UpdateName: Opened.Name,
				Args: []any{OpenedInput{Start: &start}}, WaitForStage: client.WorkflowUpdateStageCompleted,
			},
		})
		if err == nil {
			err = handle.Get(ctx, &opened)
		}
		return opened, c.explain(ctx, reference, err)
	})
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

// Update sends the command as an update and answers its outcome. After 20
// seconds the outcome is pending; the same command with the same request id
// asks again. The outcome of a failed request is answered beside its error.
func (c *Client) Update(ctx context.Context, reference opportunity.Reference, command opportunity.Command) (opportunity.Outcome, error) {
	if err := command.Validate(); err != nil {
		return opportunity.Outcome{}, err
	}
	outcome, err := send[opportunity.Outcome](ctx, c, reference, string(command.Verb()), withID(command))
	if err == nil && outcome.State == opportunity.Failed && outcome.Error != nil {
		err = outcome.Error
	}
	return outcome, err
}

// Signal sends the command and forgets it: once Signal returns nil, the command
// takes effect once, or its failure is shown to an operator.
func (c *Client) Signal(ctx context.Context, reference opportunity.Reference, command opportunity.Command) error {
	if err := reference.Validate(); err != nil {
		return err
	}
	if err := command.Validate(); err != nil {
		return err
	}
	err := c.temporal.SignalWorkflow(ctx, WorkflowID(reference), "", string(command.Verb()), withID(command))
	return c.explain(ctx, reference, err)
}

// Retry answers the question about a request: it did not happen, send it again.
func (c *Client) Retry(ctx context.Context, reference opportunity.Reference, answer opportunity.Retry) (opportunity.Outcome, error) {
	if err := answer.Validate(); err != nil {
		return opportunity.Outcome{}, err
	}
	return send[opportunity.Outcome](ctx, c, reference, Retry.Name, answer)
}

// Skip answers the question about a request: it did happen, or never mind.
func (c *Client) Skip(ctx context.Context, reference opportunity.Reference, answer opportunity.Skip) (opportunity.Outcome, error) {
	if err := answer.Validate(); err != nil {
		return opportunity.Outcome{}, err
	}
	return send[opportunity.Outcome](ctx, c, reference, Skip.Name, answer)
}

// View answers the whole picture, of an ended opportunity too, as long as
// Temporal keeps its history. It needs a running worker.
func (c *Client) View(ctx context.Context, reference opportunity.Reference) (opportunity.View, error) {
	var view opportunity.View
	if err := reference.Validate(); err != nil {
		return view, err
	}
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
	err := c.temporal.GetWorkflow(ctx, WorkflowID(reference), "").Get(ctx, &ended)
	var cancelled *temporal.CanceledError
	if errors.As(err, &cancelled) {
		return ended, opportunity.Failf(opportunity.Closed, "opportunity %s was cancelled", reference)
	}
	return ended, c.explain(ctx, reference, err)
}

// send sends an update until the run that takes it is not about to continue.
func send[A any](ctx context.Context, c *Client, reference opportunity.Reference, name string, payload any) (A, error) {
	var none A
	if err := reference.Validate(); err != nil {
		return none, err
	}
	return repeatContinuing(ctx, func() (A, error) {
		var answer A
		handle, err := c.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
			UpdateID: uuid.NewString(), WorkflowID: WorkflowID(reference), UpdateName: name,
			Args: []any{payload}, WaitForStage: client.WorkflowUpdateStageCompleted,
		})
		if err == nil {
			err = handle.Get(ctx, &answer)
		}
		return answer, c.explain(ctx, reference, err)
	})
}

// withID gives the command a request id when it has none.
func withID(command opportunity.Command) opportunity.Command {
	if command.ID() != "" {
		return command
	}
	return command.WithID(uuid.NewString())
}

// repeatContinuing sends again while the run is about to continue as new, which
// takes a moment; the caller's context bounds it.
func repeatContinuing[A any](ctx context.Context, sending func() (A, error)) (A, error) {
	pause := 50 * time.Millisecond
	for {
		answer, err := sending()
		var own *opportunity.Error
		if !errors.As(err, &own) || own.Type != opportunity.Continuing {
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

// acceptedThenEnded is the type of the failure the server gives an update whose
// run ended before it was answered.
const acceptedThenEnded = "AcceptedUpdateCompletedWorkflow"

// explain maps what Temporal answers to the vocabulary, where it is about the
// opportunity.
func (c *Client) explain(ctx context.Context, reference opportunity.Reference, err error) error {
	if err == nil {
		return nil
	}
	if own, ok := ownError(err); ok {
		return own
	}
	var ended *serviceerror.WorkflowExecutionAlreadyStarted
	var missing *serviceerror.NotFound
	var application *temporal.ApplicationError
	switch {
	case errors.As(err, &ended):
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
	_, err := c.temporal.DescribeWorkflowExecution(ctx, WorkflowID(reference), "")
	return err == nil
}
