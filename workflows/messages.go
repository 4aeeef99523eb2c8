package workflows

import (
	"errors"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// listen sets up everything that can reach the run. Nothing may block before listen, or an update
// that comes with the start would find no handler.
func (r *run) listen(ctx workflow.Context) error {
	err := errors.Join(
		workflow.SetQueryHandlerWithOptions(ctx, lifecycle.View.Name, r.handleView,
			workflow.QueryHandlerOptions{Description: lifecycle.View.Description}),
		workflow.SetQueryHandlerWithOptions(ctx, lifecycle.OutcomeOf.Name, r.handleOutcome,
			workflow.QueryHandlerOptions{Description: lifecycle.OutcomeOf.Description}),
		handle(ctx, lifecycle.Opened, r.handleOpened, r.validateOpened),
		handleCommand(ctx, r, lifecycle.AddInterests),
		handleCommand(ctx, r, lifecycle.Progress),
		handleCommand(ctx, r, lifecycle.UpdateDetails),
		handleCommand(ctx, r, lifecycle.ExtendReservations),
		handleInstruction(ctx, r, lifecycle.Pause),
		handleInstruction(ctx, r, lifecycle.Resume),
		handleInstruction(ctx, r, lifecycle.Retry),
		handleInstruction(ctx, r, lifecycle.Confirm),
		handleInstruction(ctx, r, lifecycle.Skip),
		handleInstruction(ctx, r, lifecycle.Refresh),
		handleInstruction(ctx, r, lifecycle.Snooze),
		handleInstruction(ctx, r, lifecycle.CancelFollowUp),
		handleInstruction(ctx, r, lifecycle.Close),
	)
	if err != nil {
		return err
	}
	describeSignal(ctx, lifecycle.AddInterests)
	describeSignal(ctx, lifecycle.Progress)
	describeSignal(ctx, lifecycle.UpdateDetails)
	describeSignal(ctx, lifecycle.ExtendReservations)
	describeSignal(ctx, lifecycle.Pause)
	describeSignal(ctx, lifecycle.Resume)
	describeSignal(ctx, lifecycle.Retry)
	describeSignal(ctx, lifecycle.Confirm)
	describeSignal(ctx, lifecycle.Skip)
	describeSignal(ctx, lifecycle.Refresh)
	describeSignal(ctx, lifecycle.Snooze)
	describeSignal(ctx, lifecycle.CancelFollowUp)
	describeSignal(ctx, lifecycle.Close)
	workflow.GoNamed(ctx, "signals", r.readSignals)
	return nil
}

// refuseAll refuses the updates that come with a wrong start, for the given reason; its own error
// is a mistake of the worker.
func refuseAll(ctx workflow.Context, reason error) error {
	refuse := func(workflow.Context, sent) error { return reason }
	err := handle(ctx, lifecycle.Opened, func(workflow.Context, sent) (opportunity.Opened, error) {
		return opportunity.Opened{}, reason
	}, refuse)
	breathe(ctx) // the SDK hands updates out while the workflow waits
	return err
}

// handle sets the handler of an update. Payloads stay raw, so that code of this package reads them
// and says what is wrong with them. A message has one payload; the SDK drops payloads that no
// argument takes, so the handler has one more argument.
func handle[P, A any](ctx workflow.Context, m lifecycle.Message[P, A],
	handler func(workflow.Context, sent) (A, error), validator func(workflow.Context, sent) error,
) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, m.Name,
		func(ctx workflow.Context, raw, second converter.RawValue) (A, error) {
			answer, err := handler(ctx, sentWith(raw, second))
			return answer, lifecycle.Fault(err)
		},
		workflow.UpdateHandlerOptions{
			Description: m.Description,
			Validator: func(ctx workflow.Context, raw, second converter.RawValue) error {
				return lifecycle.Fault(validator(ctx, sentWith(raw, second)))
			},
		})
}

func describeSignal[P, A any](ctx workflow.Context, m lifecycle.Message[P, A]) {
	workflow.GetSignalChannelWithOptions(ctx, m.Name, workflow.SignalChannelOptions{Description: m.Description})
}

func (r *run) handleView(raw, second converter.RawValue) (opportunity.View, error) {
	if _, err := readPlain[viewInput](sentWith(raw, second)); err != nil {
		return opportunity.View{}, lifecycle.Fault(err)
	}
	return r.view(), nil
}

// viewInput is the contract's payload of the query view, without members, in a type that readPlain
// reads strictly.
type viewInput struct{}

// Validate implements the check of a strictly read payload.
func (viewInput) Validate() error { return nil }

// outcomeInput is the contract's payload of the query outcome, in a type that readPlain reads
// strictly.
type outcomeInput lifecycle.OutcomeInput

// Validate implements the check of a strictly read payload.
func (o outcomeInput) Validate() error {
	if o.RequestID == "" {
		return opportunity.Invalidf("requestId: missing; give the id of the request to ask about")
	}
	return nil
}

func (r *run) handleOutcome(raw, second converter.RawValue) (opportunity.Outcome, error) {
	input, err := readPlain[outcomeInput](sentWith(raw, second))
	if err != nil {
		return opportunity.Outcome{}, lifecycle.Fault(err)
	}
	outcome, err := r.state.Outcome(input.RequestID)
	return outcome, lifecycle.Fault(err)
}

// handleCommand sets the handler and the validator of a command.
func handleCommand[P opportunity.Command](ctx workflow.Context, r *run, m lifecycle.Message[P, opportunity.Outcome]) error {
	verb := opportunity.Verb(m.Name)
	return handle(ctx, m,
		func(ctx workflow.Context, s sent) (opportunity.Outcome, error) { return r.answerCommand(ctx, verb, s) },
		func(ctx workflow.Context, s sent) error { return r.validateCommand(ctx, verb, s) })
}

// validateCommand refuses commands that cannot be accepted; a refused command leaves no trace in
// the history.
func (r *run) validateCommand(ctx workflow.Context, verb opportunity.Verb, s sent) error {
	command, err := as[opportunity.Command](readMessage(verb, s))
	switch {
	case err != nil:
		return err
	case r.unaccounted(ctx):
		return r.state.Readmits(command, requestID(ctx, command))
	}
	if err := r.accepting(ctx); err != nil {
		return err
	}
	return r.state.Admits(command, requestID(ctx, command), workflow.Now(ctx))
}

// answerCommand puts the command into the stream and waits for its outcome. It waits no longer than
// an update may stay open, since the server holds only ten open updates. When as many updates wait
// as may, it returns pending at once.
func (r *run) answerCommand(ctx workflow.Context, verb opportunity.Verb, s sent) (opportunity.Outcome, error) {
	command, err := as[opportunity.Command](message(ctx, verb, s))
	if err != nil {
		return opportunity.Outcome{}, err
	}
	id := requestID(ctx, command)
	r.takeSignals(ctx) // earlier signals go first
	key, err := r.admit(ctx, command, id)
	if err != nil {
		return opportunity.Outcome{}, err
	}
	r.state.Attended(key, true) // the command may have come as a signal, or in an earlier update
	answered, err := r.answers.await(ctx, func() bool { return !r.state.IsPending(key) })
	if err != nil {
		return opportunity.Outcome{}, err
	}
	if !answered {
		r.state.Attended(key, false)
	}
	return r.state.Outcome(key)
}

// admit puts the command of an update into the stream and returns the id of its request. It checks
// the command once more, since a signal that came with the command may have paused or closed the
// opportunity.
func (r *run) admit(ctx workflow.Context, command opportunity.Command, id string) (string, error) {
	err := error(errEnding)
	if !r.ending {
		err = r.state.Admits(command, id, workflow.Now(ctx))
	}
	switch {
	case err == nil:
		return r.state.Accept(command, id, false, workflow.Now(ctx))
	case r.readmits(ctx):
		return r.state.Readmit(command, id, false, workflow.Now(ctx))
	}
	return "", err
}

// errEnding is the error of a command that comes while the run ends.
var errEnding = opportunity.Failf(opportunity.Closed, "the opportunity is ending; it takes no more messages")

// accepting returns the reason why the run takes no command now, nil when it takes commands.
func (r *run) accepting(ctx workflow.Context) error {
	switch {
	case r.ending:
		return errEnding
	case r.shouldContinue(ctx) && r.fits():
		return opportunity.Failf(opportunity.Continuing, "the run is about to continue as new; send the message again")
	}
	return nil
}

// as returns the message as an M, the type that its verb determines.
func as[M opportunity.Message](m opportunity.Message, err error) (M, error) {
	var none M
	if err != nil {
		return none, err
	}
	typed, _ := m.(M)
	return typed, nil
}

// requestID returns the id of the message, or the id of the update when the message has none.
func requestID(ctx workflow.Context, message opportunity.Message) string {
	if id := message.ID(); id != "" {
		return id
	}
	return workflow.GetCurrentUpdateInfo(ctx).ID
}

// handleInstruction sets the handler and the validator of an operator's instruction. An instruction
// is answered at once, also while the run is about to continue as new.
func handleInstruction[P opportunity.Instruction](ctx workflow.Context, r *run, m lifecycle.Message[P, opportunity.Outcome]) error {
	verb := opportunity.Verb(m.Name)
	return handle(ctx, m,
		func(ctx workflow.Context, s sent) (opportunity.Outcome, error) {
			return r.answerInstruction(ctx, verb, s)
		},
		func(ctx workflow.Context, s sent) error { return r.validateInstruction(ctx, verb, s) })
}

// validateInstruction refuses instructions that cannot be carried out; a refused instruction leaves
// no trace in the history.
func (r *run) validateInstruction(ctx workflow.Context, verb opportunity.Verb, s sent) error {
	if r.ending {
		return errEnding
	}
	instruction, err := as[opportunity.Instruction](readMessage(verb, s))
	if err != nil {
		return err
	}
	return r.state.Applies(instruction, requestID(ctx, instruction), workflow.Now(ctx))
}

// answerInstruction carries the instruction out.
func (r *run) answerInstruction(ctx workflow.Context, verb opportunity.Verb, s sent) (opportunity.Outcome, error) {
	instruction, err := as[opportunity.Instruction](message(ctx, verb, s))
	if err != nil {
		return opportunity.Outcome{}, err
	}
	r.takeSignals(ctx) // earlier signals go first
	if r.ending {
		return opportunity.Outcome{}, errEnding
	}
	outcome, err := r.instruct(ctx, instruction, requestID(ctx, instruction))
	r.show(ctx)
	return outcome, err
}

// instruct carries an instruction out.
func (r *run) instruct(ctx workflow.Context, instruction opportunity.Instruction, id string) (opportunity.Outcome, error) {
	if skip, is := instruction.(opportunity.Skip); is && r.state.IsParked(skip.Request) && since(ctx, changeEnding) {
		instruction = skip.Undoing()
	}
	return r.state.Instruct(instruction, id, workflow.Now(ctx))
}

// validateOpened refuses a start that differs from the start of this run.
func (r *run) validateOpened(ctx workflow.Context, s sent) error {
	input, err := readPlain[openedInput](s)
	if err != nil {
		return err
	}
	if input.Start != nil && input.Start.Digest() != r.state.StartDigest {
		return opportunity.Failf(opportunity.Conflict, "reference %s: an opportunity with another start runs under it; use a reference of its own", r.state.Reference)
	}
	if r.state.ID != "" {
		return nil
	}
	return r.accepting(ctx)
}

// openedInput is the contract's payload of the update opened, in a type that readPlain reads
// strictly.
type openedInput lifecycle.OpenedInput

// Validate implements the check of a strictly read payload.
func (o openedInput) Validate() error {
	if o.Start == nil {
		return nil
	}
	return o.Start.Validate()
}

func (r *run) handleOpened(ctx workflow.Context, _ sent) (opportunity.Opened, error) {
	opened := opportunity.Opened{State: opportunity.Pending, Reference: r.state.Reference}
	exists, err := r.answers.await(ctx, func() bool { return r.state.ID != "" || r.failed != nil })
	if err != nil || !exists {
		return opened, err
	}
	if r.failed != nil {
		return opened, r.failed
	}
	details, step := r.state.Details, r.state.Step
	opened.State, opened.Opportunity, opened.Details, opened.Step = opportunity.Done, r.state.ID, &details, &step
	return opened, nil
}
