package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/lifecycle"
)

// namespaceEvents is how long the history of the workflow of a namespace may get
// before it continues as new. The server's own suggestion comes later.
const namespaceEvents = 1000

// namespace keeps which tenant the namespace belongs to. It runs for ever, also when
// it is cancelled, and does nothing but to answer.
func namespace(ctx workflow.Context, state lifecycle.NamespaceState) error {
	if state.Tenant != nil && state.TiedAt.IsZero() {
		state.TieAgain(*state.Tenant, workflow.Now(ctx))
	}
	err := workflow.SetQueryHandlerWithOptions(ctx, lifecycle.NamespaceOf.Name, func() (lifecycle.NamespaceState, error) {
		return state, nil
	}, workflow.QueryHandlerOptions{Description: lifecycle.NamespaceOf.Description})
	if err != nil {
		return err
	}
	err = workflow.SetUpdateHandlerWithOptions(ctx, lifecycle.Tie.Name, func(ctx workflow.Context, tenant lifecycle.Tenant) (lifecycle.NamespaceState, error) {
		err := state.Tie(tenant, workflow.Now(ctx)) // another one may have been tied since the validator
		return state, lifecycle.Fault(err)
	}, workflow.UpdateHandlerOptions{
		Validator:   func(tenant lifecycle.Tenant) error { return lifecycle.Fault(state.MayTie(tenant)) },
		Description: lifecycle.Tie.Description,
	})
	if err != nil {
		return err
	}
	ties := workflow.GetSignalChannelWithOptions(ctx, lifecycle.TieAgain.Name, workflow.SignalChannelOptions{Description: lifecycle.TieAgain.Description})
	recoveries := workflow.GetSignalChannelWithOptions(ctx, lifecycle.Recover.Name, workflow.SignalChannelOptions{Description: lifecycle.Recover.Description})
	tieAgain := func(tenant lifecycle.Tenant) {
		if !tenant.IsZero() {
			state.TieAgain(tenant, workflow.Now(ctx))
		}
	}
	recovered := func(r lifecycle.Recovery) {
		if r.Epoch != "" {
			state.Recovery = &r
		}
	}
	workflow.Go(ctx, func(ctx workflow.Context) { receive(ctx, ties, tieAgain) })
	workflow.Go(ctx, func(ctx workflow.Context) { receive(ctx, recoveries, recovered) })
	forEver, _ := workflow.NewDisconnectedContext(ctx)
	err = workflow.Await(forEver, func() bool {
		info := workflow.GetInfo(ctx)
		return (info.GetContinueAsNewSuggested() || info.GetCurrentHistoryLength() > namespaceEvents) && workflow.AllHandlersFinished(ctx)
	})
	if err != nil {
		return err
	}
	drain(ties, tieAgain)
	drain(recoveries, recovered)
	return workflow.NewContinueAsNewError(ctx, lifecycle.NamespaceType, state)
}

// receive takes signals in for ever.
func receive[T any](ctx workflow.Context, signals workflow.ReceiveChannel, take func(T)) {
	for {
		var one T
		signals.Receive(ctx, &one)
		take(one)
	}
}

// drain takes in the signals that have come.
func drain[T any](signals workflow.ReceiveChannel, take func(T)) {
	for {
		var one T
		if !signals.ReceiveAsync(&one) {
			return
		}
		take(one)
	}
}
