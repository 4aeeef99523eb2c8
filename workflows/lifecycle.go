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
	// PlaybookAfter is how long after it was stored a version of the playbook is in force;
	// 0 is lifecycle.PlaybookInForceAfter.
	PlaybookAfter time.Duration
}

func (o Options) playbookAfter() time.Duration {
	return cmp.Or(o.PlaybookAfter, lifecycle.PlaybookInForceAfter)
}

// Register registers the workflows, that of the opportunities under its name of
// the contract. The worker also needs Interceptor.
func Register(registry worker.WorkflowRegistry, options Options) {
	registry.RegisterWorkflowWithOptions(options.lifecycle, workflow.RegisterOptions{Name: lifecycle.WorkflowType})
	registry.RegisterWorkflowWithOptions(options.adoption, workflow.RegisterOptions{Name: adoptionType})
	registry.RegisterWorkflowWithOptions(options.namespace, workflow.RegisterOptions{Name: lifecycle.NamespaceType})
}

// lifecycle runs one opportunity from its creation in the TMS until it stands
// in a Won, Lost or Archived step and nothing is left to do, or an operator
// closes it.
//
// It keeps three things true at every moment: the record exists before any
// command is applied; commands are applied in the order they were accepted, one
// request at a time; and a run ends, in whatever way, only when no accepted
// command is left unanswered or uncarried.
//
// input is the start as a caller gives it. A run that continues another one
// gets the state in carried instead. Both are read here rather than by the SDK,
// to which what does not decode is the end of the workflow; and which drops what
// no argument takes, so that there is one more.
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
