package lifecycle_test

import (
	"strings"
	"testing"

	enums "go.temporal.io/api/enums/v1"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// A request that waits when a run ends does not stay pending.
func TestOutcomeOfARequestPendingAtTheEnd(t *testing.T) {
	for status, want := range map[enums.WorkflowExecutionStatus]string{
		enums.WORKFLOW_EXECUTION_STATUS_RUNNING:    "",
		enums.WORKFLOW_EXECUTION_STATUS_TERMINATED: "was terminated at 2026-11-23T09:00:00Z",
		enums.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:  "timed out at 2026-11-23T09:00:00Z",
	} {
		n := &fakeNamespace{exists: true, status: status, outcome: opportunity.Outcome{RequestID: "r", State: opportunity.Pending}}
		got, err := lifecycle.NewClient(n).Outcome(t.Context(), "A-1", "r")
		switch {
		case err != nil:
			t.Errorf("%s: %v", status, err)
		case want == "" && got.State != opportunity.Pending:
			t.Errorf("%s: got %+v; want it pending", status, got)
		case want != "" && (got.State != opportunity.Failed || got.Error.Type != opportunity.Closed || !strings.Contains(got.Error.Message, want)):
			t.Errorf("%s: got %+v; want it failed, since the run %s", status, got, want)
		}
	}
}
