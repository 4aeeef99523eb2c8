package lifecycle_test

import (
	"context"
	"strings"
	"testing"
	"time"

	enums "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/oppflow/oppflow/lifecycle"
)

type unresponsiveTemporal struct {
	client.Client
	status enums.WorkflowExecutionStatus
	task   *workflowpb.PendingWorkflowTaskInfo
	polled time.Duration // how long ago a worker polled last; 0 is never
}

func (s unresponsiveTemporal) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return &workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Status: s.status}, PendingWorkflowTask: s.task,
	}, nil
}

func (s unresponsiveTemporal) DescribeTaskQueue(context.Context, string, enums.TaskQueueType) (*workflowservice.DescribeTaskQueueResponse, error) {
	out := &workflowservice.DescribeTaskQueueResponse{}
	if s.polled > 0 {
		out.Pollers = []*taskqueuepb.PollerInfo{{LastAccessTime: timestamppb.New(time.Now().Add(-s.polled))}}
	}
	return out, nil
}

// A worker that hangs has polled a short time ago, but it takes no workflow task.
func TestUnresponsiveReason(t *testing.T) {
	const running, scheduled = enums.WORKFLOW_EXECUTION_STATUS_RUNNING, enums.PENDING_WORKFLOW_TASK_STATE_SCHEDULED
	task := func(state enums.PendingWorkflowTaskState, attempt int32, ago time.Duration) *workflowpb.PendingWorkflowTaskInfo {
		return &workflowpb.PendingWorkflowTaskInfo{State: state, Attempt: attempt, ScheduledTime: timestamppb.New(time.Now().Add(-ago))}
	}
	for name, c := range map[string]struct {
		server unresponsiveTemporal
		want   string
	}{
		"nothing waits":                 {unresponsiveTemporal{status: running, polled: time.Second}, ""},
		"a task that was just made":     {unresponsiveTemporal{status: running, task: task(scheduled, 1, 19*time.Second), polled: time.Second}, ""},
		"a task that nobody takes":      {unresponsiveTemporal{status: running, task: task(scheduled, 1, 21*time.Second), polled: time.Second}, "no worker has started the workflow task of A-1, which has waited for 21s"},
		"a task that a worker has":      {unresponsiveTemporal{status: running, task: task(enums.PENDING_WORKFLOW_TASK_STATE_STARTED, 1, time.Minute), polled: time.Second}, ""},
		"a task that fails":             {unresponsiveTemporal{status: running, task: task(scheduled, 3, time.Minute), polled: time.Second}, "the workflow task of A-1 fails in attempt 3"},
		"a worker that polled long ago": {unresponsiveTemporal{status: running, polled: 71 * time.Second}, "no worker polls the task queue opportunities"},
		"no worker":                     {unresponsiveTemporal{status: running}, "no worker polls the task queue opportunities"},
		"one that has ended":            {unresponsiveTemporal{status: enums.WORKFLOW_EXECUTION_STATUS_COMPLETED}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := lifecycle.NewClient(c.server).UnresponsiveReason(t.Context(), "A-1")
			if c.want == "" && got != "" || !strings.HasPrefix(got, c.want) {
				t.Errorf("got %q; want %q", got, c.want)
			}
		})
	}
}
