package workflows

import (
	"slices"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// signalQueue contains the signals in the order in which the signals arrived. The SDK keeps one
// channel for each signal name. When two signals with different names arrive in one workflow task,
// the channels do not show which signal was first. Without the queue, the run would not read a
// signal with an unknown name.
type signalQueue struct {
	signals []inboundSignal
}

type inboundSignal struct {
	name string
	// channel is the name of the SDK's channel that contains the first payload of the signal.
	channel string
	// payloads is the number of payloads of the signal, and bytes is the sum of their sizes.
	payloads, bytes int
}

// otherSignals is the name of the channel for all signals whose name is not the name of a message.
// The SDK reserves some names, and panics when code requests the channel of a reserved name.
const otherSignals = "other"

func (a *signalQueue) pop() (inboundSignal, bool) {
	if len(a.signals) == 0 {
		return inboundSignal{}, false
	}
	first := a.signals[0]
	a.signals = a.signals[1:]
	return first, true
}

func (a *signalQueue) hasNext() bool { return len(a.signals) > 0 }

type signalQueueKey struct{}

func signalQueueOf(ctx workflow.Context) *signalQueue {
	a, _ := ctx.Value(signalQueueKey{}).(*signalQueue)
	return a
}

// Interceptor records the order in which signals arrive. A worker, a replayer or a test environment
// that runs the workflow needs the interceptor.
func Interceptor() interceptor.WorkerInterceptor { return &signalOrderInterceptor{} }

type signalOrderInterceptor struct {
	interceptor.WorkerInterceptorBase
}

// InterceptWorkflow creates an empty signal queue for each run that a worker starts or replays.
func (*signalOrderInterceptor) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	inbound := &signalOrderInbound{}
	inbound.Next = next
	return inbound
}

type signalOrderInbound struct {
	interceptor.WorkflowInboundInterceptorBase
	queue signalQueue
}

// ExecuteWorkflow passes the signal queue to the workflow.
func (i *signalOrderInbound) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	return i.Next.ExecuteWorkflow(workflow.WithValue(ctx, signalQueueKey{}, &i.queue), in)
}

// HandleSignal adds the signal to the queue. The SDK calls HandleSignal in the order of the
// WorkflowExecutionSignaled events in the history.
func (i *signalOrderInbound) HandleSignal(ctx workflow.Context, in *interceptor.HandleSignalInput) error {
	came := inboundSignal{name: in.SignalName, channel: in.SignalName, payloads: len(in.Arg.GetPayloads())}
	for _, payload := range in.Arg.GetPayloads() {
		came.bytes += len(payload.GetData())
	}
	kind := workflow.GetInfo(ctx).WorkflowType.Name
	isOwn := kind == lifecycle.NamespaceType && lifecycle.IsNamespaceSignal(came.name) || kind == lifecycle.ScanType && came.name == lifecycle.SetScan.Name
	if !isOwn && !slices.Contains(opportunity.MessageNames(), opportunity.MessageName(came.name)) {
		came.channel = otherSignals
	}
	delivered := *in
	delivered.SignalName = came.channel
	if err := i.Next.HandleSignal(ctx, &delivered); err != nil {
		return err
	}
	i.queue.signals = append(i.queue.signals, came)
	return nil
}
