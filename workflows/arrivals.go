package workflows

import (
	"slices"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// arrivals holds the signals in the order in which they came. The SDK keeps one channel for each
// signal name. Two signals with different names can come in one workflow task, and the channels do
// not show which signal was first. A signal whose name has no listener would stay unread.
type arrivals struct {
	signals []arrival
}

// arrival is a signal that came.
type arrival struct {
	name string
	// channel is the name of the SDK's channel that holds the signal's first payload.
	channel string
	// payloads is the number of payloads of the signal, bytes their size together.
	payloads, bytes int
}

// otherSignals is the channel of all signals whose name is not the name of a message. The SDK
// reserves some names, and panics when code asks for the channel of a reserved name.
const otherSignals = "other"

// next removes the earliest signal that was not taken yet, and returns it.
func (a *arrivals) next() (arrival, bool) {
	if len(a.signals) == 0 {
		return arrival{}, false
	}
	first := a.signals[0]
	a.signals = a.signals[1:]
	return first, true
}

func (a *arrivals) waiting() bool { return len(a.signals) > 0 }

type arrivalsKey struct{}

// arrivalsOf returns the run's arrivals, nil when the interceptor is not installed.
func arrivalsOf(ctx workflow.Context) *arrivals {
	a, _ := ctx.Value(arrivalsKey{}).(*arrivals)
	return a
}

// Interceptor notes the order in which signals come. A worker, a replayer or a test environment
// that runs the workflow needs the interceptor.
func Interceptor() interceptor.WorkerInterceptor { return &arrivalOrder{} }

type arrivalOrder struct {
	interceptor.WorkerInterceptorBase
}

// InterceptWorkflow is called once for each run that a worker builds or rebuilds.
func (*arrivalOrder) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	inbound := &arrivalNotes{}
	inbound.Next = next
	return inbound
}

type arrivalNotes struct {
	interceptor.WorkflowInboundInterceptorBase
	seen arrivals
}

// ExecuteWorkflow hands the notes to the workflow.
func (i *arrivalNotes) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	return i.Next.ExecuteWorkflow(workflow.WithValue(ctx, arrivalsKey{}, &i.seen), in)
}

// HandleSignal is called in the order of the Signaled events of the history.
func (i *arrivalNotes) HandleSignal(ctx workflow.Context, in *interceptor.HandleSignalInput) error {
	came := arrival{name: in.SignalName, channel: in.SignalName, payloads: len(in.Arg.GetPayloads())}
	for _, payload := range in.Arg.GetPayloads() {
		came.bytes += len(payload.GetData())
	}
	ofNamespace := lifecycle.IsNamespaceSignal(came.name) && workflow.GetInfo(ctx).WorkflowType.Name == lifecycle.NamespaceType
	if !ofNamespace && !slices.Contains(opportunity.Verbs(), opportunity.Verb(came.name)) {
		came.channel = otherSignals
	}
	delivered := *in
	delivered.SignalName = came.channel
	if err := i.Next.HandleSignal(ctx, &delivered); err != nil {
		return err
	}
	i.seen.signals = append(i.seen.signals, came)
	return nil
}
