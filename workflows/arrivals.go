package workflows

import (
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"
)

// arrivals is the order in which signals came, by name. The SDK keeps a channel
// for each name, so that of two signals with different names that come in one
// workflow task nobody could tell which was first; and one with a name nobody
// listens to would stay unread.
type arrivals struct {
	names []string
}

// next takes the name of the signal that came first of those not taken yet.
func (a *arrivals) next() (string, bool) {
	if len(a.names) == 0 {
		return "", false
	}
	name := a.names[0]
	a.names = a.names[1:]
	return name, true
}

func (a *arrivals) waiting() bool { return len(a.names) > 0 }

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
	if err := i.Next.HandleSignal(ctx, in); err != nil {
		return err
	}
	i.seen.names = append(i.seen.names, in.SignalName)
	return nil
}
