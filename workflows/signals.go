package workflows

import (
	"errors"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/opportunity"
)

// receiveSignals accepts signals as soon as the signals arrive, even while a request is under way.
func (r *run) receiveSignals(ctx workflow.Context) {
	for {
		if err := workflow.Await(ctx, r.signals.hasNext); err != nil {
			return // cancelled; the run itself accepts the remaining signals
		}
		r.drainSignals(ctx)
		r.publish(ctx)
	}
}

// drainSignals accepts every signal that has arrived, in the order of the WorkflowExecutionSignaled
// events. A signal that is not valid or has an unknown name becomes a failed request that needs
// attention.
func (r *run) drainSignals(ctx workflow.Context) {
	bytes := 0
	for taken := 1; ; taken++ {
		if taken%signalsPerTurn == 0 || bytes > bytesPerTurn && workflow.GetVersion(ctx, changeYieldBetweenSignals, workflow.DefaultVersion, 1) != workflow.DefaultVersion {
			yieldTurn(ctx)
			bytes = 0
		}
		came, some := r.signals.pop()
		if !some {
			return
		}
		bytes += came.bytes
		name := opportunity.MessageName(came.name)
		var raw converter.RawValue
		if !workflow.GetSignalChannel(ctx, came.channel).ReceiveAsync(&raw) {
			r.state.FailMessage(name, "", opportunity.Invalidf("the payload cannot be decoded"), workflow.Now(ctx))
			continue
		}
		id, err := r.acceptSignal(ctx, name, messagePayload{raw: raw, hasMore: came.payloads > 1})
		var refused *opportunity.Error
		if errors.As(err, &refused) {
			r.state.FailMessage(name, id, refused, workflow.Now(ctx))
		}
	}
}

// The run accepts at most signalsPerTurn signals, with about bytesPerTurn bytes, before other
// coroutines run. The limits matter when thousands of signals, or very large signals, arrived while
// no worker ran. The SDK treats a coroutine that runs for a second as a deadlock, and fails the
// workflow task.
const (
	signalsPerTurn = 100
	bytesPerTurn   = 64 << 10
)

// yieldTurn lets the other coroutines of the run execute, without a command in the history.
func yieldTurn(ctx workflow.Context) {
	turn, end := workflow.NewFuture(ctx)
	workflow.GoNamed(ctx, "yield", func(workflow.Context) { end.SetValue(nil) })
	_ = turn.Get(ctx, nil) // the future has no error
}

// acceptSignal accepts one signal and returns the id of its request. The error of acceptSignal is
// always an *opportunity.Error and says why the signal was rejected.
func (r *run) acceptSignal(ctx workflow.Context, name opportunity.MessageName, s messagePayload) (string, error) {
	m, err := readMessageByVersion(ctx, name, s)
	if err != nil {
		return s.requestID(), err
	}
	now := workflow.Now(ctx)
	switch m := m.(type) {
	case opportunity.OperatorCommand:
		_, err = r.executeOperatorCommand(ctx, m, m.GetRequestID())
	case opportunity.Command:
		r.revision++
		_, err = r.state.Accept(m, m.GetRequestID(), true, now)
		if err != nil && r.state.CheckAcceptAfterReset(m, m.GetRequestID()) == nil && r.mayBeRedelivered(ctx) {
			_, err = r.state.AcceptAfterReset(m, m.GetRequestID(), true, now)
		}
	}
	return m.GetRequestID(), err
}
