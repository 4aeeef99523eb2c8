package workflows

import (
	"slices"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// arrivals is the order in which signals came. The SDK keeps a channel
// for each name, so that of two signals with different names that come in one
// workflow task nobody could tell which was first; and one with a name nobody
// listens to would stay unread.
type arrivals struct {
	signals []arrival
}

// arrival is a signal that came.
type arrival struct {
	name string
	// channel is the name of the SDK's channel that holds its first payload.
	channel string
	// payloads is how many came with it, and bytes how many they have.
	payloads, bytes int
}

// otherSignals is the channel of all signals with a name that no message has. The
// SDK has reserved some names, and panics when the channel of one is asked for.
const otherSignals = "other"

// next takes the signal that came first of those not taken yet.
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

// arrivalsOf finds the run's arrivals, nil when the interceptor is not installed.
func arrivalsOf(ctx workflow.Context) *arrivals {
	a, _ := ctx.Value(arrivalsKey{}).(*arrivals)
	return a
}

// Interceptor notes in which order signals come. A worker, a replayer or a test
// environment that runs the workflow needs it.
func Interceptor() interceptor.WorkerInterceptor { return &arrivalOrder{} }

type arrivalOrder struct {
	interceptor.WorkerInterceptorBase
}

// InterceptWorkflow is called once for each run that is (re)built in a worker.
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
