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

// Options are the settings of the workflows.
type Options struct {
	// Times limit how long a request may take.
	Times activities.Times
	// PlaybookDelay is the time from the deployment of a playbook version until the version is in
	// force; 0 means lifecycle.PlaybookInForceAfter.
	PlaybookDelay time.Duration
}

func (o Options) playbookDelay() time.Duration {
	return cmp.Or(o.PlaybookDelay, lifecycle.PlaybookInForceAfter)
}

// Register registers the workflows. The opportunity's workflow has the name lifecycle.WorkflowType.
// The worker also needs Interceptor.
func Register(registry worker.WorkflowRegistry, options Options) {
	registry.RegisterWorkflowWithOptions(options.opportunityWorkflow, workflow.RegisterOptions{Name: lifecycle.WorkflowType})
	registry.RegisterWorkflowWithOptions(options.adoptionWorkflow, workflow.RegisterOptions{Name: adoptionType})
	registry.RegisterWorkflowWithOptions(options.namespaceWorkflow, workflow.RegisterOptions{Name: lifecycle.NamespaceType})
	registry.RegisterWorkflowWithOptions(scanWorkflow, workflow.RegisterOptions{Name: lifecycle.ScanType})
}

// opportunityWorkflow runs one opportunity from its creation in the TMS to its end. The opportunity
// ends when its step is Won, Lost or Archived and nothing is left to do, or when an operator closes
// the opportunity. The playbook may keep the run of an ended opportunity open for some time.
//
// opportunityWorkflow keeps three invariants. The record exists before any command is applied.
// Commands are applied in the order in which they were accepted, one request at a time. A run ends
// only when every accepted command has an outcome or is carried over.
//
// input is the start from a caller. A run that continues an earlier run receives the state in
// carried instead of input. The workflow decodes both arguments itself, because the SDK ends the
// workflow when it cannot decode an argument. The argument third detects a third payload, because
// the SDK drops payloads for which the workflow has no argument.
func (o Options) opportunityWorkflow(ctx workflow.Context, input, carried, third converter.RawValue) (*opportunity.RunResult, error) {
	r, err := newRun(ctx, o, arguments{input: messagePayload{raw: input}, carriedState: newMessagePayload(carried, third)})
	if err != nil {
		if err := rejectUpdates(ctx, err); err != nil {
			return nil, err
		}
		return nil, rejectStart(ctx, err)
	}
	if err := r.registerHandlers(ctx); err != nil {
		return nil, err
	}
	if err := unsetStartAttributes(ctx); err != nil {
		return nil, err
	}
	if err := r.ensureCreated(ctx); err != nil {
		return r.shutDown(ctx, err)
	}
	if r.state.ID == "" {
		return nil, r.continueAsNew(ctx)
	}
	if err := r.runTasks(ctx); err != nil {
		return r.shutDown(ctx, err)
	}
	if !r.state.CanEnd(workflow.Now(ctx)) {
		return nil, r.continueAsNew(ctx)
	}
	ended := r.state.Result()
	return &ended, nil
}
