package workflows

import (
	"cmp"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// Options are what a tenant may set for the workflow.
type Options struct {
	// Times bound how long a request may be under way.
	Times activities.Times
	// PlaybookAfter is the time between storing a playbook version and the moment when the version
	// is in force; 0 is lifecycle.PlaybookInForceAfter.
	PlaybookAfter time.Duration
}

func (o Options) playbookAfter() time.Duration {
	return cmp.Or(o.PlaybookAfter, lifecycle.PlaybookInForceAfter)
}

// Register registers the workflows, that of the opportunities under its name in the contract. The
// worker also needs Interceptor.
func Register(registry worker.WorkflowRegistry, options Options) {
	registry.RegisterWorkflowWithOptions(options.lifecycle, workflow.RegisterOptions{Name: lifecycle.WorkflowType})
	registry.RegisterWorkflowWithOptions(options.adoption, workflow.RegisterOptions{Name: adoptionType})
	registry.RegisterWorkflowWithOptions(options.namespace, workflow.RegisterOptions{Name: lifecycle.NamespaceType})
}

// lifecycle runs one opportunity from its creation in the TMS to its end. The opportunity ends when
// its step is Won, Lost or Archived and nothing is left to do, or when an operator closes it.
//
// lifecycle keeps three things true at every moment. The record exists before any command is
// applied. Commands are applied in the order in which they were accepted, one request at a time. A
// run ends, in whatever way, only when every accepted command is answered or carried over.
//
// input is the start as a caller gives it. A run that continues another run gets the state in
// carried instead. The workflow reads both arguments itself, since the SDK ends the workflow when
// an argument does not decode. The SDK also drops payloads that no argument takes, so there is one
// more argument, third.
func (o Options) lifecycle(ctx workflow.Context, input, carried, third converter.RawValue) (*opportunity.Ended, error) {
	r, err := newRun(ctx, o, arguments{input: sent{raw: input}, carried: sentWith(carried, third)})
	if err != nil {
		if err := refuseAll(ctx, err); err != nil {
			return nil, err
		}
		return nil, refuse(ctx, err)
	}
	if err := r.listen(ctx); err != nil {
		return nil, err
	}
	if err := disownAttributes(ctx); err != nil {
		return nil, err
	}
	if err := r.open(ctx); err != nil {
		return r.abandon(ctx, err)
	}
	if r.state.ID == "" {
		return nil, r.carryOn(ctx)
	}
	if err := r.serve(ctx); err != nil {
		return r.abandon(ctx, err)
	}
	if !r.state.IsOver() {
		return nil, r.carryOn(ctx)
	}
	ended := r.state.End()
	return &ended, nil
}
