package payload

import (
	"context"
	"time"

	enums "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/proto"
)

const (
	// FailureType is the type of the failure of a workflow task that contains a payload that cannot
	// be decrypted.
	FailureType = "PayloadNotDecrypted"
	// taskRetryPause is how long the worker waits before it reports the second or a later failure
	// of a workflow task. The server repeats a failed task at once, but a task that timed out only
	// after a pause that becomes ever longer.
	taskRetryPause = 3 * time.Second
	reportTimeout  = 5 * time.Second
)

type sendFunc func(ctx context.Context, method string, request, reply any) error

type sender struct{ namespace, identity string }

// failTask reports to the server that the workflow task, or the query, failed. The text of the
// failure is not encrypted, because it contains no data of the payload.
func (e *Encryption) failTask(ctx context.Context, task *workflowservice.PollWorkflowTaskQueueResponse, from sender, cause error, invoke sendFunc) {
	e.undecrypted.Add(ctx, 1)
	e.logger.ErrorContext(ctx, "a workflow task cannot be decrypted; the server repeats the task",
		"workflow", task.GetWorkflowExecution().GetWorkflowId(), "attempt", task.GetAttempt(), "error", cause)
	method, request, reply := failedTask(task, from, cause)
	ctx = context.WithoutCancel(ctx) // the poll may end before the report is sent
	report := func() {
		ctx, cancel := context.WithTimeout(ctx, reportTimeout)
		defer cancel()
		if err := invoke(ctx, method, request, reply); err != nil {
			e.logger.DebugContext(ctx, "the failed workflow task could not be reported", "error", err)
		}
	}
	if task.GetAttempt() <= 1 || task.GetQuery() != nil {
		report()
		return
	}
	time.AfterFunc(taskRetryPause, report)
}

func failedTask(task *workflowservice.PollWorkflowTaskQueueResponse, from sender, cause error) (method string, request, reply proto.Message) {
	failure := &failurepb.Failure{
		Message: cause.Error(),
		Source:  "oppflow",
		FailureInfo: &failurepb.Failure_ApplicationFailureInfo{
			ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: FailureType},
		},
	}
	if task.GetQuery() != nil {
		return workflowservice.WorkflowService_RespondQueryTaskCompleted_FullMethodName, &workflowservice.RespondQueryTaskCompletedRequest{
			TaskToken: task.GetTaskToken(), Namespace: from.namespace, CompletedType: enums.QUERY_RESULT_TYPE_FAILED,
			ErrorMessage: cause.Error(), Failure: failure, PollerGroupId: task.GetPollerGroupId(),
		}, &workflowservice.RespondQueryTaskCompletedResponse{}
	}
	return workflowservice.WorkflowService_RespondWorkflowTaskFailed_FullMethodName, &workflowservice.RespondWorkflowTaskFailedRequest{
		TaskToken: task.GetTaskToken(), Namespace: from.namespace, Identity: from.identity,
		Cause: enums.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE, Failure: failure,
	}, &workflowservice.RespondWorkflowTaskFailedResponse{}
}
