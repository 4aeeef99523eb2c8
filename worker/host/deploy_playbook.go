package host

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/lifecycle"
)

// PlaybookVersions returns the versions of the namespace's playbook. The returned versions have
// their texts only if their numbers are in numbers. PlaybookVersions needs a running worker, unless
// the namespace has no versions of a playbook.
func PlaybookVersions(ctx context.Context, c client.Client, numbers ...int) (lifecycle.PlaybookVersions, error) {
	state, err := readNamespace(ctx, c, numbers...)
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return nil, nil
	}
	return state.Playbooks, err
}

// DeployPlaybook stores the playbook as a new version of the namespace's playbook. DeployPlaybook
// needs a running worker, unless no worker has ever run in the namespace.
func DeployPlaybook(ctx context.Context, c client.Client, d lifecycle.Deployment) (lifecycle.DeployResult, error) {
	var first lifecycle.NamespaceState
	deployed, err := first.Deploy(d, time.Now().UTC(), lifecycle.PlaybookInForceAfter)
	if err != nil {
		return lifecycle.DeployResult{}, err
	}
	options := lifecycle.NamespaceOptions()
	options.WorkflowIDConflictPolicy = enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL
	options.WorkflowExecutionErrorWhenAlreadyStarted = true
	_, err = c.ExecuteWorkflow(ctx, options, lifecycle.NamespaceType, first)
	var running *serviceerror.WorkflowExecutionAlreadyStarted
	if !errors.As(err, &running) {
		return deployed, err
	}
	handle, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		UpdateID: uuid.NewString(), WorkflowID: lifecycle.NamespaceID, UpdateName: lifecycle.Deploy.Name,
		Args: []any{d}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, &deployed)
	}
	if own, is := lifecycle.FromTemporalError(err); is {
		err = own
	}
	return deployed, err
}
