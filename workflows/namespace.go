package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/lifecycle"
)

// maxNamespaceEvents is the number of history events after which the workflow of a namespace
// continues as new. The server suggests continue as new only when the history is longer.
const maxNamespaceEvents = 1000

// namespaceWorkflow stores the tenant of the namespace and the versions of the namespace's
// playbook. namespaceWorkflow only handles messages, and never ends, even when it is cancelled.
func (o Options) namespaceWorkflow(ctx workflow.Context, state lifecycle.NamespaceState) error {
	if state.Tenant != nil && state.BoundAt.IsZero() {
		state.Rebind(*state.Tenant, workflow.Now(ctx))
	}
	err := workflow.SetQueryHandlerWithOptions(ctx, lifecycle.NamespaceOf.Name, func(q lifecycle.NamespaceInput) (lifecycle.NamespaceState, error) {
		return state.WithTexts(q.Texts...), nil
	}, workflow.QueryHandlerOptions{Description: lifecycle.NamespaceOf.Description})
	if err != nil {
		return err
	}
	err = workflow.SetUpdateHandlerWithOptions(ctx, lifecycle.BindTenant.Name, func(ctx workflow.Context, tenant lifecycle.Tenant) (lifecycle.NamespaceState, error) {
		err := state.Bind(tenant, workflow.Now(ctx)) // another tenant may have been bound after the validator ran
		return state.WithTexts(), lifecycle.ToTemporalError(err)
	}, workflow.UpdateHandlerOptions{
		Validator:   func(tenant lifecycle.Tenant) error { return lifecycle.ToTemporalError(state.CheckBind(tenant)) },
		Description: lifecycle.BindTenant.Description,
	})
	if err != nil {
		return err
	}
	err = workflow.SetUpdateHandlerWithOptions(ctx, lifecycle.Deploy.Name, func(ctx workflow.Context, d lifecycle.Deployment) (lifecycle.DeployResult, error) {
		deployed, err := state.Deploy(d, workflow.Now(ctx), o.playbookDelay())
		return deployed, lifecycle.ToTemporalError(err)
	}, workflow.UpdateHandlerOptions{
		Validator: func(ctx workflow.Context, d lifecycle.Deployment) error {
			return lifecycle.ToTemporalError(state.CheckDeploy(d, workflow.Now(ctx)))
		},
		Description: lifecycle.Deploy.Description,
	})
	if err != nil {
		return err
	}
	err = workflow.SetUpdateHandlerWithOptions(ctx, lifecycle.JoinNamespace.Name, func(ctx workflow.Context, j lifecycle.NamespaceJoin) (lifecycle.NamespaceState, error) {
		err := state.Join(j, workflow.Now(ctx), o.playbookDelay())
		return state.WithTexts(), lifecycle.ToTemporalError(err)
	}, workflow.UpdateHandlerOptions{Description: lifecycle.JoinNamespace.Description})
	if err != nil {
		return err
	}
	signals := workflow.NewNamedSelector(ctx, "signals")
	addSignalReceiver(ctx, signals, lifecycle.RebindTenant, func(tenant lifecycle.Tenant) {
		if !tenant.IsZero() {
			state.Rebind(tenant, workflow.Now(ctx))
		}
	})
	addSignalReceiver(ctx, signals, lifecycle.RecordCreated, state.AddRecord)
	addSignalReceiver(ctx, signals, lifecycle.Recover, state.Recover)
	addSignalReceiver(ctx, signals, lifecycle.Encrypt, func(e lifecycle.NamespaceEncryption) {
		if state.Encrypt(e) {
			storeEncryption(ctx, *state.Encryption)
		}
	})
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			signals.Select(ctx)
		}
	})
	forEver, _ := workflow.NewDisconnectedContext(ctx)
	err = workflow.Await(forEver, func() bool {
		info := workflow.GetInfo(ctx)
		return (info.GetContinueAsNewSuggested() || info.GetCurrentHistoryLength() > maxNamespaceEvents) && workflow.AllHandlersFinished(ctx)
	})
	if err != nil {
		return err
	}
	for signals.HasPending() {
		signals.Select(ctx)
	}
	return workflow.NewContinueAsNewError(ctx, lifecycle.NamespaceType, state)
}

// storeEncryption stores the encryption in the memo, so that a worker without keys can read the
// encryption.
func storeEncryption(ctx workflow.Context, e lifecycle.NamespaceEncryption) {
	if err := workflow.UpsertMemo(ctx, map[string]any{lifecycle.MemoEncryption: e}); err != nil {
		failTask("the memo of the namespace cannot be written: " + err.Error())
	}
}

func addSignalReceiver[P any](ctx workflow.Context, signals workflow.Selector, m lifecycle.Message[P, struct{}], take func(P)) {
	channel := workflow.GetSignalChannelWithOptions(ctx, m.Name, workflow.SignalChannelOptions{Description: m.Description})
	signals.AddReceive(channel, func(channel workflow.ReceiveChannel, _ bool) {
		var payload P
		if channel.ReceiveAsync(&payload) {
			take(payload)
		}
	})
}
