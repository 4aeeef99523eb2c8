package visibilityproxy

import (
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func TestVisibleRuns(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	run := func(id, name string, began, ended time.Duration) *workflowpb.WorkflowExecutionInfo {
		info := &workflowpb.WorkflowExecutionInfo{
			Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: name}, StartTime: timestamppb.New(now.Add(-began)),
			Status: enums.WORKFLOW_EXECUTION_STATUS_RUNNING,
		}
		if ended > 0 {
			info.CloseTime, info.Status = timestamppb.New(now.Add(-ended)), enums.WORKFLOW_EXECUTION_STATUS_TERMINATED
		}
		return info
	}
	for how, want := range map[Mode]string{
		Lagging:    "a1 Terminated, a2 Running, b1 Running",
		NewestOnly: "a1 Terminated, a3 Running, b1 Terminated",
	} {
		var got []string
		for _, info := range visibleRuns([]*workflowpb.WorkflowExecutionInfo{
			run("a", "a1", time.Hour, time.Minute), run("a", "a2", 50*time.Second, 10*time.Second), run("a", "a3", 9*time.Second, 0),
			run("b", "b1", time.Hour, time.Second),
		}, how, now) {
			got = append(got, info.GetExecution().GetRunId()+" "+info.GetStatus().String())
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%s: %s; want %s", how, text, want)
		}
	}
}
