package workflows

import (
	"errors"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// listen sets up everything that can reach the run. Nothing may block before
// it, or an update that comes with the start would find no handler.
func (r *run) listen(ctx workflow.Context) error {
	view := workflow.QueryHandlerOptions{Description: lifecycle.View.Description}
	err := errors.Join(
		workflow.SetQueryHandlerWithOptions(ctx, lifecycle.View.Name, r.handleView, view),
		handle(ctx, lifecycle.Opened, r.handleOpened, r.validateOpened),
		handleCommand(ctx, r, lifecycle.AddInterests),
		handleCommand(ctx, r, lifecycle.Progress),
		handleCommand(ctx, r, lifecycle.UpdateDetails),
		handle(ctx, lifecycle.Retry, r.handleRetry, r.validateRetry),
		handle(ctx, lifecycle.Skip, r.handleSkip, r.validateSkip),
	)
	if err != nil {
		return err
	}
	describeSignal(ctx, lifecycle.AddInterests)
	describeSignal(ctx, lifecycle.Progress)
	describeSignal(ctx, lifecycle.UpdateDetails)
	describeSignal(ctx, lifecycle.Retry)
	describeSignal(ctx, lifecycle.Skip)
	workflow.GoNamed(ctx, "signals", r.readSignals)
	return nil
}

// handle sets the handler of an update. Payloads stay raw, so that one of ours
// reads them and says what is wrong with them.
func handle[P, A any](ctx workflow.Context, m lifecycle.Message[P, A],
	handler func(workflow.Context, converter.RawValue) (A, error), validator func(workflow.Context, converter.RawValue) error,
) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, m.Name,
		func(ctx workflow.Context, raw converter.RawValue) (A, error) {
			answer, err := handler(ctx, raw)
			return answer, lifecycle.Fault(err)
		},
		workflow.UpdateHandlerOptions{
			Description: m.Description,
			Validator: func(ctx workflow.Context, raw converter.RawValue) error {
				return lifecycle.Fault(validator(ctx, raw))
			},
		})
}

func describeSignal[P, A any](ctx workflow.Context, m lifecycle.Message[P, A]) {
	workflow.GetSignalChannelWithOptions(ctx, m.Name, workflow.SignalChannelOptions{Description: m.Description})
}

func (r *run) handleView() (opportunity.View, error) { return r.state.View(), nil }

// handleCommand sets handler and validator of a command.
func handleCommand[P opportunity.Command](ctx workflow.Context, r *run, m lifecycle.Message[P, opportunity.Outcome]) error {
	verb := opportunity.Verb(m.Name)
	return handle(ctx, m,
		func(ctx workflow.Context, raw converter.RawValue) (opportunity.Outcome, error) {
			return r.answerCommand(ctx, verb, raw)
		},
		func(ctx workflow.Context, raw converter.RawValue) error { return r.validateCommand(ctx, verb, raw) })
}

// validateCommand refuses a command without a trace in the history.
func (r *run) validateCommand(ctx workflow.Context, verb opportunity.Verb, raw converter.RawValue) error {
	if err := r.accepting(ctx); err != nil {
		return err
	}
	command, id, err := readCommand(ctx, verb, raw)
	if err != nil {
		return err
	}
	return r.state.Admits(command, id)
}

// answerCommand puts the command into the stream and waits for its outcome, at
// most as long as an update may stay open: the server holds only ten.
func (r *run) answerCommand(ctx workflow.Context, verb opportunity.Verb, raw converter.RawValue) (opportunity.Outcome, error) {
	command, id, err := readCommand(ctx, verb, raw)
	if err != nil {
		return opportunity.Outcome{}, err
	}
	r.takeSignals(ctx) // what came before goes first
	if r.ending {
		return opportunity.Outcome{}, errEnding
	}
	key, err := r.state.Accept(command, id, false, workflow.Now(ctx))
	if err != nil {
		return opportunity.Outcome{}, err
	}
	answered, err := r.answers.await(ctx, func() bool { return !r.state.IsPending(key) })
	if err != nil {
		return opportunity.Outcome{}, err
	}
	if !answered {
		r.state.Unattended(key)
	}
	return r.state.Outcome(key)
}

// errEnding answers a command that came while the run ended.
var errEnding = opportunity.Failf(opportunity.Closed, "the opportunity is ending; it takes no more messages")

// accepting reports why no command is taken now.
func (r *run) accepting(ctx workflow.Context) error {
	switch {
	case r.ending:
		return errEnding
	case r.shouldContinue(ctx) && r.fits():
		return opportunity.Failf(opportunity.Continuing, "the run is about to continue as new; send the message again")
	}
	return nil
}

// readCommand reads a command and its request id: its own, or else the update's.
func readCommand(ctx workflow.Context, verb opportunity.Verb, raw converter.RawValue) (opportunity.Command, string, error) {
	payload, err := typedJSON(raw)
	if err != nil {
		return nil, "", err
	}
	command, err := opportunity.Decode(verb, payload)
	if err != nil {
		return nil, "", err
	}
	id := command.ID()
	if id == "" {
		id = workflow.GetCurrentUpdateInfo(ctx).ID
	}
	return command, id, nil
}

// validateOpened refuses a start that is not the one this run was started from.
func (r *run) validateOpened(ctx workflow.Context, raw converter.RawValue) error {
	input, err := readAnswer[openedInput](raw)
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

// openedInput lets the contract's payload be read strictly.
type openedInput lifecycle.OpenedInput

// Validate implements the check of a strictly read payload.
func (o openedInput) Validate() error {
	if o.Start == nil {
		return nil
	}
	return o.Start.Validate()
}

func (r *run) handleOpened(ctx workflow.Context, _ converter.RawValue) (opportunity.Opened, error) {
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

// readAnswer reads a payload of the given type strictly.
func readAnswer[A interface{ Validate() error }](raw converter.RawValue) (A, error) {
	var none A
	payload, err := typedJSON(raw)
	if err != nil {
		return none, err
	}
	return opportunity.DecodeAnswer[A](payload)
}

func (r *run) validateRetry(_ workflow.Context, raw converter.RawValue) error {
	answer, err := readAnswer[opportunity.Retry](raw)
	if err != nil {
		return err
	}
	return r.state.Doubts(answer.Request)
}

// handleRetry answers at once: what becomes of the request can be asked for
// under its own id.
func (r *run) handleRetry(ctx workflow.Context, raw converter.RawValue) (opportunity.Outcome, error) {
	answer, err := readAnswer[opportunity.Retry](raw)
	if err != nil {
		return opportunity.Outcome{}, err
	}
	if err := r.state.Retry(answer, workflow.Now(ctx)); err != nil {
		return opportunity.Outcome{}, err
	}
	return opportunity.Outcome{RequestID: answer.Request, State: opportunity.Pending}, nil
}

func (r *run) validateSkip(_ workflow.Context, raw converter.RawValue) error {
	answer, err := readAnswer[opportunity.Skip](raw)
	if err != nil {
		return err
	}
	return r.state.Doubts(answer.Request)
}

// handleSkip answers at once.
func (r *run) handleSkip(ctx workflow.Context, raw converter.RawValue) (opportunity.Outcome, error) {
	answer, err := readAnswer[opportunity.Skip](raw)
	if err != nil {
		return opportunity.Outcome{}, err
	}
	if err := r.state.Skip(answer, workflow.Now(ctx)); err != nil {
		return opportunity.Outcome{}, err
	}
	return opportunity.Outcome{
		RequestID: answer.Request, State: opportunity.Failed,
		Error: &opportunity.Error{Type: opportunity.Skipped, Message: answer.Reason},
	}, nil
}
