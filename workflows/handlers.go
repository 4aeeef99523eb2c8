package workflows

import (
	"errors"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// The run must call registerHandlers before anything blocks, so that an update that comes with the
// start finds its handler.
func (r *run) registerHandlers(ctx workflow.Context) error {
	err := errors.Join(
		workflow.SetQueryHandlerWithOptions(ctx, lifecycle.View.Name, r.handleView,
			workflow.QueryHandlerOptions{Description: lifecycle.View.Description}),
		workflow.SetQueryHandlerWithOptions(ctx, lifecycle.OutcomeOf.Name, r.handleOutcome,
			workflow.QueryHandlerOptions{Description: lifecycle.OutcomeOf.Description}),
		setUpdateHandler(ctx, lifecycle.CreateOutcome.Name, lifecycle.CreateOutcome.Description, r.handleCreateOutcome, r.validateCreateOutcome),
	)
	for _, m := range opportunity.MessageTypes() {
		if m.IsOperatorCommand {
			err = errors.Join(err, r.handleOperatorCommand(ctx, m))
		} else {
			err = errors.Join(err, r.handleCommand(ctx, m))
		}
	}
	if err != nil {
		return err
	}
	for _, m := range opportunity.MessageTypes() {
		workflow.GetSignalChannelWithOptions(ctx, string(m.Name), workflow.SignalChannelOptions{Description: m.Description})
	}
	workflow.GoNamed(ctx, "signals", r.receiveSignals)
	return nil
}

// rejectUpdates rejects the updates that come with an invalid start, for the given reason.
func rejectUpdates(ctx workflow.Context, reason error) error {
	refuse := func(workflow.Context, messagePayload) error { return reason }
	err := setUpdateHandler(ctx, lifecycle.CreateOutcome.Name, lifecycle.CreateOutcome.Description, func(workflow.Context, messagePayload) (opportunity.CreateOutcome, error) {
		return opportunity.CreateOutcome{}, reason
	}, refuse)
	yieldTurn(ctx) // the SDK runs the handlers of updates while the workflow waits
	return err
}

// The handler receives raw payloads, because this package decodes the payloads and reports decoding
// errors itself. A message has one payload. The handler has a second argument in order to detect
// further payloads, because the SDK drops payloads for which the handler has no argument.
func setUpdateHandler[A any](ctx workflow.Context, name, description string,
	handler func(workflow.Context, messagePayload) (A, error), validator func(workflow.Context, messagePayload) error,
) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, name,
		func(ctx workflow.Context, raw, second converter.RawValue) (A, error) {
			answer, err := handler(ctx, newMessagePayload(raw, second))
			return answer, lifecycle.ToTemporalError(err)
		},
		workflow.UpdateHandlerOptions{
			Description: description,
			Validator: func(ctx workflow.Context, raw, second converter.RawValue) error {
				return lifecycle.ToTemporalError(validator(ctx, newMessagePayload(raw, second)))
			},
		})
}

func (r *run) handleView(raw, second converter.RawValue) (opportunity.View, error) {
	if _, err := readPayload[viewInput](newMessagePayload(raw, second)); err != nil {
		return opportunity.View{}, lifecycle.ToTemporalError(err)
	}
	return r.view(), nil
}

// viewInput is the payload that a caller sends with the query "view". The payload has no members,
// and readPayload rejects every unknown member.
type viewInput struct{}

func (viewInput) Validate() error { return nil }

// outcomeInput is the payload that a caller sends with the query "outcome".
type outcomeInput lifecycle.OutcomeInput

func (o outcomeInput) Validate() error {
	if o.RequestID == "" {
		return opportunity.Invalidf("requestId: missing; give the id of the request whose outcome you want")
	}
	return nil
}

func (r *run) handleOutcome(raw, second converter.RawValue) (opportunity.Outcome, error) {
	input, err := readPayload[outcomeInput](newMessagePayload(raw, second))
	if err != nil {
		return opportunity.Outcome{}, lifecycle.ToTemporalError(err)
	}
	outcome, err := r.state.Outcome(input.RequestID)
	return outcome, lifecycle.ToTemporalError(err)
}

func (r *run) handleCommand(ctx workflow.Context, m opportunity.MessageType) error {
	return setUpdateHandler(ctx, string(m.Name), m.Description,
		func(ctx workflow.Context, s messagePayload) (opportunity.Outcome, error) {
			return r.runCommandUpdate(ctx, m.Name, s)
		},
		func(ctx workflow.Context, s messagePayload) error { return r.validateCommand(ctx, m.Name, s) })
}

func (r *run) validateCommand(ctx workflow.Context, named opportunity.MessageName, s messagePayload) error {
	command, err := asMessage[opportunity.Command](readMessage(named, s))
	switch {
	case err != nil:
		return err
	case r.isReplacedOnServer(ctx):
		return r.state.CheckAcceptAfterReset(command, requestID(ctx, command))
	}
	if err := r.checkAccepting(ctx); err != nil {
		return err
	}
	return r.state.CheckUpdate(command, requestID(ctx, command), workflow.Now(ctx))
}

// runCommandUpdate puts the command into the queue and waits for its outcome. The wait ends after
// MaxUpdateWait, because the server permits only ten open updates for each run. When
// MaxWaitingUpdates updates wait already, runCommandUpdate returns the outcome pending at once.
func (r *run) runCommandUpdate(ctx workflow.Context, named opportunity.MessageName, s messagePayload) (opportunity.Outcome, error) {
	command, err := asMessage[opportunity.Command](readMessageByVersion(ctx, named, s))
	if err != nil {
		return opportunity.Outcome{}, err
	}
	id := requestID(ctx, command)
	r.drainSignals(ctx) // signals that came before the update go first
	key, err := r.acceptCommand(ctx, command, id)
	if err != nil {
		return opportunity.Outcome{}, err
	}
	r.state.SetHasWaiter(key, true) // the command may have come as a signal, or in an earlier update
	answered, err := r.updateWaiters.await(ctx, func() bool { return !r.state.IsPending(key) })
	if err != nil {
		return opportunity.Outcome{}, err
	}
	if !answered {
		r.state.SetHasWaiter(key, false)
	}
	return r.state.Outcome(key)
}

// acceptCommand checks the command once more, because a signal that came with the command may have
// paused or closed the opportunity.
func (r *run) acceptCommand(ctx workflow.Context, command opportunity.Command, id string) (string, error) {
	err := error(errStopping)
	if !r.stopping {
		err = r.state.CheckUpdate(command, id, workflow.Now(ctx))
	}
	r.revision++
	switch {
	case err == nil:
		return r.state.Accept(command, id, false, workflow.Now(ctx))
	case r.mayBeRedelivered(ctx):
		return r.state.AcceptAfterReset(command, id, false, workflow.Now(ctx))
	}
	return "", err
}

var errStopping = opportunity.Failf(opportunity.Closed, "the opportunity is ending; it accepts no more messages")

func (r *run) checkAccepting(ctx workflow.Context) error {
	switch {
	case r.stopping:
		return errStopping
	case r.shouldContinueAsNew(ctx) && r.fitsCarryLimit():
		return opportunity.Failf(opportunity.Continuing, "the run is about to continue as new; send the message again")
	}
	return nil
}

// The caller passes only a message of the type M.
func asMessage[M opportunity.Message](m opportunity.Message, err error) (M, error) {
	var none M
	if err != nil {
		return none, err
	}
	typed, _ := m.(M)
	return typed, nil
}

func requestID(ctx workflow.Context, message opportunity.Message) string {
	if id := message.GetRequestID(); id != "" {
		return id
	}
	return workflow.GetCurrentUpdateInfo(ctx).ID
}

// An operator command returns its outcome at once, even when the run is about to continue as new.
func (r *run) handleOperatorCommand(ctx workflow.Context, m opportunity.MessageType) error {
	return setUpdateHandler(ctx, string(m.Name), m.Description,
		func(ctx workflow.Context, s messagePayload) (opportunity.Outcome, error) {
			return r.runOperatorCommandUpdate(ctx, m.Name, s)
		},
		func(ctx workflow.Context, s messagePayload) error { return r.validateOperatorCommand(ctx, m.Name, s) })
}

func (r *run) validateOperatorCommand(ctx workflow.Context, named opportunity.MessageName, s messagePayload) error {
	if r.stopping {
		return errStopping
	}
	instruction, err := asMessage[opportunity.OperatorCommand](readMessage(named, s))
	if err != nil {
		return err
	}
	return r.state.CheckOperatorCommand(instruction, requestID(ctx, instruction), workflow.Now(ctx))
}

func (r *run) runOperatorCommandUpdate(ctx workflow.Context, named opportunity.MessageName, s messagePayload) (opportunity.Outcome, error) {
	instruction, err := asMessage[opportunity.OperatorCommand](readMessageByVersion(ctx, named, s))
	if err != nil {
		return opportunity.Outcome{}, err
	}
	r.drainSignals(ctx) // signals that came before the update go first
	if r.stopping {
		return opportunity.Outcome{}, errStopping
	}
	outcome, err := r.executeOperatorCommand(ctx, instruction, requestID(ctx, instruction))
	r.publish(ctx)
	return outcome, err
}

// If the command skips a parked request, the run also undoes the effects of the request.
func (r *run) executeOperatorCommand(ctx workflow.Context, instruction opportunity.OperatorCommand, id string) (opportunity.Outcome, error) {
	if skip, is := instruction.(opportunity.Skip); is && r.state.IsParked(skip.Request) && hasChange(ctx, changeCompleteShutdown) {
		instruction = skip.WithUndo()
	}
	r.revision++
	return r.state.Execute(instruction, id, workflow.Now(ctx))
}

func (r *run) validateCreateOutcome(ctx workflow.Context, s messagePayload) error {
	input, err := readPayload[createOutcomeInput](s)
	if err != nil {
		return err
	}
	if input.Start != nil && input.Start.Digest() != r.state.StartDigest {
		return opportunity.Failf(opportunity.Conflict, "reference %s: an opportunity with different start data already runs under this reference; use another reference", r.state.Reference)
	}
	if r.state.ID != "" {
		return nil
	}
	return r.checkAccepting(ctx)
}

// createOutcomeInput is the payload that a caller sends with the update "opened".
type createOutcomeInput lifecycle.CreateOutcomeInput

func (o createOutcomeInput) Validate() error {
	if o.Start == nil {
		return nil
	}
	return o.Start.Validate()
}

func (r *run) handleCreateOutcome(ctx workflow.Context, _ messagePayload) (opportunity.CreateOutcome, error) {
	opened := opportunity.CreateOutcome{State: opportunity.Pending, Reference: r.state.Reference}
	exists, err := r.updateWaiters.await(ctx, func() bool { return r.state.ID != "" || r.createError != nil })
	if err != nil || !exists {
		return opened, err
	}
	if r.createError != nil {
		return opened, r.createError
	}
	details, step := r.state.Details, r.state.Step
	opened.State, opened.Opportunity, opened.Details, opened.Step = opportunity.Done, r.state.ID, &details, &step
	return opened, nil
}
