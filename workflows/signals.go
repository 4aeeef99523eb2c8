package workflows

import (
	"errors"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/opportunity"
)

// readSignals takes signals as they come, also while a request is under way, so that the view shows
// what waits.
func (r *run) readSignals(ctx workflow.Context) {
	for {
		if err := workflow.Await(ctx, r.arrivals.waiting); err != nil {
			return // cancelled; the run itself takes the signals that are left
		}
		r.takeSignals(ctx)
		r.show(ctx)
	}
}

// takeSignals puts every signal that has come into the stream, in the order of the Signaled events.
// No signal vanishes: one that cannot be read, or has an unknown name, becomes a failed request
// that needs attention.
func (r *run) takeSignals(ctx workflow.Context) {
	bytes := 0
	for taken := 1; ; taken++ {
		if taken%signalsAtOnce == 0 || bytes > bytesAtOnce && workflow.GetVersion(ctx, changeBreath, workflow.DefaultVersion, 1) != workflow.DefaultVersion {
			breathe(ctx)
			bytes = 0
		}
		came, some := r.arrivals.next()
		if !some {
			return
		}
		bytes += came.bytes
		verb := opportunity.Verb(came.name)
		var raw converter.RawValue
		if !workflow.GetSignalChannel(ctx, came.channel).ReceiveAsync(&raw) {
			r.state.Refuse(verb, "", opportunity.Invalidf("the payload cannot be decoded"), workflow.Now(ctx))
			continue
		}
		id, err := r.takeSignal(ctx, verb, sent{raw: raw, more: came.payloads > 1})
		var refused *opportunity.Error
		if errors.As(err, &refused) {
			r.state.Refuse(verb, id, refused, workflow.Now(ctx))
		}
	}
}

// signalsAtOnce is how many signals the run takes before other coroutines have a turn, bytesAtOnce
// how many bytes these signals may hold. The SDK treats a coroutine that runs for a second as a
// deadlock, and fails the task. While the worker was down, many thousands of signals may have come,
// or some of the largest.
const (
	signalsAtOnce = 100
	bytesAtOnce   = 64 << 10
)

// breathe gives the other coroutines of the run a turn, without a command in the history.
func breathe(ctx workflow.Context) {
	turn, end := workflow.NewFuture(ctx)
	workflow.GoNamed(ctx, "breath", func(workflow.Context) { end.SetValue(nil) })
	_ = turn.Get(ctx, nil) // the future has no error
}

// takeSignal takes one signal and returns the id of its request. Its error, always an
// *opportunity.Error, says why the signal was refused, as recorded under the id.
func (r *run) takeSignal(ctx workflow.Context, verb opportunity.Verb, s sent) (string, error) {
	m, err := message(ctx, verb, s)
	if err != nil {
		return s.requestID(), err
	}
	now := workflow.Now(ctx)
	switch m := m.(type) {
	case opportunity.Instruction:
		_, err = r.instruct(ctx, m, m.ID())
	case opportunity.Command:
		_, err = r.state.Accept(m, m.ID(), true, now)
		if err != nil && r.state.Readmits(m, m.ID()) == nil && r.readmits(ctx) {
			_, err = r.state.Readmit(m, m.ID(), true, now)
		}
	}
	return m.ID(), err
}
