package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	enums "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/converter"

	"github.com/oppflow/oppflow/opportunity"
)

// ReportedProblems is the search attribute in which the Temporal server stores why the workflow
// task of a run fails.
const ReportedProblems = "TemporalReportedProblems"

const (
	describeTimeout = 5 * time.Second
	// taskPickupTimeout is the longest time that a workflow task waits for an idle worker. The
	// server first offers the task for 5 s to the worker that has the run in memory, and then
	// offers the task to all workers.
	taskPickupTimeout = 20 * time.Second
)

// MaxPollAge is the longest time that can pass since the last poll of a running worker. A poll that
// receives no task ends after a minute, and the worker then sends the next poll.
const MaxPollAge = 70 * time.Second

// UnresponsiveReason returns why the opportunity does not respond, according to the Temporal
// server. UnresponsiveReason returns "" when the opportunity has no running workflow, or when the
// server shows no reason.
func (c *Client) UnresponsiveReason(ctx context.Context, reference opportunity.Reference) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), describeTimeout)
	defer cancel()
	described, err := c.temporal.DescribeWorkflowExecution(withResourceHeader(ctx, reference), WorkflowID(reference), "") //nolint:staticcheck // the other one panics over search attributes that it cannot read
	if err != nil || described.GetWorkflowExecutionInfo().GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return ""
	}
	task := described.GetPendingWorkflowTask()
	problems := reportedProblems(described.GetWorkflowExecutionInfo())
	if task.GetAttempt() > 1 || problems != "" {
		return fmt.Sprintf("the workflow task of %s fails in attempt %d%s; the worker's log shows the reason; the opportunity continues when a worker completes the task",
			reference, task.GetAttempt(), problems)
	}
	if waits := time.Since(task.GetScheduledTime().AsTime()); task.GetState() == enums.PENDING_WORKFLOW_TASK_STATE_SCHEDULED && waits > taskPickupTimeout {
		return fmt.Sprintf("no worker has started the workflow task of %s, which has waited for %s; start a worker, or restart a worker that hangs", reference, waits.Round(time.Second))
	}
	queue, err := c.temporal.DescribeTaskQueue(ctx, TaskQueue, enums.TASK_QUEUE_TYPE_WORKFLOW)
	polls := func(p *taskqueuepb.PollerInfo) bool { return time.Since(p.GetLastAccessTime().AsTime()) < MaxPollAge }
	if err == nil && !slices.ContainsFunc(queue.GetPollers(), polls) {
		return fmt.Sprintf("no worker polls the task queue %s; start a worker", TaskQueue)
	}
	return ""
}

func reportedProblems(info *workflowpb.WorkflowExecutionInfo) string {
	payload := info.GetSearchAttributes().GetIndexedFields()[ReportedProblems]
	var problems []string
	if payload == nil || converter.GetDefaultDataConverter().FromPayload(payload, &problems) != nil || len(problems) == 0 {
		return "" // without this value, the number of attempts still shows the failure
	}
	return " (" + strings.Join(problems, ", ") + ")"
}
