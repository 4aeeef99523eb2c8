package cli

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// askedWithin bounds the calls to the server about an opportunity that does not respond.
const askedWithin = 5 * time.Second

// pollsWithin is the longest time since the last poll of a running worker. A poll waits for a minute.
const pollsWithin = 70 * time.Second

// silence asks the Temporal server why an opportunity does not respond. Either its workflow task fails, or no
// worker runs that could do the task. silence returns err when the server knows neither.
func silence(ctx context.Context, temporal client.Client, reference opportunity.Reference, err error) error {
	var own *opportunity.Error
	var unavailable *serviceerror.Unavailable
	if err == nil || errors.As(err, &own) || errors.As(err, &unavailable) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askedWithin)
	defer cancel()
	described, failed := temporal.DescribeWorkflowExecution(ctx, lifecycle.WorkflowID(reference), "") //nolint:staticcheck // the other one panics over search attributes that it cannot read
	if failed != nil || described.GetWorkflowExecutionInfo().GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return err
	}
	var problems []string
	if payload := described.GetWorkflowExecutionInfo().GetSearchAttributes().GetIndexedFields()[reportedProblems]; payload != nil {
		// Problems that cannot be read are left out. The number of attempts still shows the failure.
		_ = converter.GetDefaultDataConverter().FromPayload(payload, &problems)
	}
	if attempt := described.GetPendingWorkflowTask().GetAttempt(); attempt > 1 || len(problems) > 0 {
		why := ""
		if len(problems) > 0 {
			why = " (" + strings.Join(problems, ", ") + ")"
		}
		return explainedf("the workflow task of %s fails, attempt %d%s; the worker's log says why, and a worker that can do the task goes on", reference, attempt, why)
	}
	queue, failed := temporal.DescribeTaskQueue(ctx, lifecycle.TaskQueue, enums.TASK_QUEUE_TYPE_WORKFLOW)
	polls := func(p *taskqueuepb.PollerInfo) bool { return time.Since(p.GetLastAccessTime().AsTime()) < pollsWithin }
	if failed == nil && !slices.ContainsFunc(queue.GetPollers(), polls) {
		return explainedf("no worker polls the task queue %s; start one", lifecycle.TaskQueue)
	}
	return err
}
