package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/lifecycle"
)

// namespaceEvents is the length of history after which the workflow of a namespace continues as
// new; the server's own suggestion comes later.
const namespaceEvents = 1000

// namespace keeps the tenant of the namespace, and the versions of its playbook. It runs for ever,
// also when it is cancelled, and only handles messages.
func (o Options) namespace(ctx workflow.Context, state lifecycle.NamespaceState) error {
	if state.Tenant != nil && state.TiedAt.IsZero() {
		state.TieAgain(*state.Tenant, workflow.Now(ctx))
	}
	err := workflow.SetQueryHandlerWithOptions(ctx, lifecycle.NamespaceOf.Name, func(q lifecycle.NamespaceQuestion) (lifecycle.NamespaceState, error) {
		return state.WithTexts(q.Texts...), nil
	}, workflow.QueryHandlerOptions{Description: lifecycle.NamespaceOf.Description})
	if err != nil {
		return err
	}
	err = workflow.SetUpdateHandlerWithOptions(ctx, lifecycle.Tie.Name, func(ctx workflow.Context, tenant lifecycle.Tenant) (lifecycle.NamespaceState, error) {
		err := state.Tie(tenant, workflow.Now(ctx)) // another tenant may have been tied since the validator
		return state.WithTexts(), lifecycle.Fault(err)
	}, workflow.UpdateHandlerOptions{
		Validator:   func(tenant lifecycle.Tenant) error { return lifecycle.Fault(state.MayTie(tenant)) },
		Description: lifecycle.Tie.Description,
	})
	if err != nil {
		return err
	}
	err = workflow.SetUpdateHandlerWithOptions(ctx, lifecycle.Deploy.Name, func(ctx workflow.Context, d lifecycle.Deployment) (lifecycle.Deployed, error) {
		deployed, err := state.Deploy(d, workflow.Now(ctx), o.playbookAfter())
		return deployed, lifecycle.Fault(err)
	}, workflow.UpdateHandlerOptions{
		Validator: func(ctx workflow.Context, d lifecycle.Deployment) error {
			return lifecycle.Fault(state.MayDeploy(d, workflow.Now(ctx)))
		},
		Description: lifecycle.Deploy.Description,
	})
	if err != nil {
		return err
	}
	err = workflow.SetUpdateHandlerWithOptions(ctx, lifecycle.Joined.Name, func(ctx workflow.Context, j lifecycle.Join) (lifecycle.NamespaceState, error) {
		err := state.Join(j, workflow.Now(ctx), o.playbookAfter())
		return state.WithTexts(), lifecycle.Fault(err)
	}, workflow.UpdateHandlerOptions{Description: lifecycle.Joined.Description})
	if err != nil {
		return err
	}
	signals := workflow.NewNamedSelector(ctx, "signals")
	receive(ctx, signals, lifecycle.TieAgain, func(tenant lifecycle.Tenant) {
		if !tenant.IsZero() {
			state.TieAgain(tenant, workflow.Now(ctx))
		}
	})
	receive(ctx, signals, lifecycle.Made, state.Note)
	receive(ctx, signals, lifecycle.Recover, state.Recover)
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			signals.Select(ctx)
		}
	})
	forEver, _ := workflow.NewDisconnectedContext(ctx)
	err = workflow.Await(forEver, func() bool {
		info := workflow.GetInfo(ctx)
		return (info.GetContinueAsNewSuggested() || info.GetCurrentHistoryLength() > namespaceEvents) && workflow.AllHandlersFinished(ctx)
	})
	if err != nil {
		return err
	}
	for signals.HasPending() {
		signals.Select(ctx)
	}
	return workflow.NewContinueAsNewError(ctx, lifecycle.NamespaceType, state)
}

// receive makes the selector take the signals of a name.
func receive[P any](ctx workflow.Context, signals workflow.Selector, m lifecycle.Message[P, struct{}], take func(P)) {
	channel := workflow.GetSignalChannelWithOptions(ctx, m.Name, workflow.SignalChannelOptions{Description: m.Description})
	signals.AddReceive(channel, func(channel workflow.ReceiveChannel, _ bool) {
		var payload P
		if channel.ReceiveAsync(&payload) {
			take(payload)
		}
	})
}
