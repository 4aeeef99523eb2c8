package workflows

import (
	"errors"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/opportunity"
)

// readSignals takes signals in as they come, also while a request is under way,
// so that the view shows what waits.
func (r *run) readSignals(ctx workflow.Context) {
	for {
		if err := workflow.Await(ctx, r.arrivals.waiting); err != nil {
			return // cancelled; the run itself takes in what is left
		}
		r.takeSignals(ctx)
		r.show(ctx)
	}
}

// takeSignals puts every signal that has come into the stream, in the order of
// the Signaled events. None vanishes: what cannot be read, and what nobody
// knows, becomes a failed request that needs attention.
func (r *run) takeSignals(ctx workflow.Context) {
	for taken := 1; ; taken++ {
		if taken%signalsAtOnce == 0 {
			breathe(ctx)
		}
		name, some := r.arrivals.next()
		if !some {
			return
		}
		verb := opportunity.Verb(name)
		var raw converter.RawValue
		if !workflow.GetSignalChannel(ctx, name).ReceiveAsync(&raw) {
			r.state.Refuse(verb, "", opportunity.Invalidf("the payload cannot be decoded"), workflow.Now(ctx))
			continue
		}
		id, err := r.takeSignal(ctx, verb, raw)
		var refused *opportunity.Error
		if errors.As(err, &refused) {
			r.state.Refuse(verb, id, refused, workflow.Now(ctx))
		}
	}
}

// signalsAtOnce is how many signals are taken in without a breath. The SDK takes a
// coroutine that runs for a second for a deadlock and fails the task; while the
// worker was down, many thousands may have come.
const signalsAtOnce = 100

// breathe lets the other coroutines of the run have a turn, without a command in
// the history.
func breathe(ctx workflow.Context) {
	turn, end := workflow.NewFuture(ctx)
	workflow.GoNamed(ctx, "breath", func(workflow.Context) { end.SetValue(nil) })
	_ = turn.Get(ctx, nil) // it has no error
}

// takeSignal takes one signal in. Its error, always an *opportunity.Error, says
// why it could not, and the id under which to record that.
func (r *run) takeSignal(ctx workflow.Context, verb opportunity.Verb, raw converter.RawValue) (string, error) {
	now := workflow.Now(ctx)
	if opportunity.IsInstruction(verb) {
		instruction, err := readInstruction(verb, raw)
		if err != nil {
			return "", err
		}
		_, err = r.instruct(ctx, instruction, instruction.ID())
		return instruction.ID(), err
	}
	payload, err := typedJSON(raw)
	if err != nil {
		return "", err
	}
	command, err := opportunity.Decode(verb, payload)
	if err != nil {
		return "", err
	}
	_, err = r.state.Accept(command, command.ID(), true, now)
	if err != nil && r.state.Readmits(command, command.ID()) == nil && r.readmits(ctx) {
		_, err = r.state.Readmit(command, command.ID(), true, now)
	}
	return command.ID(), err
}
