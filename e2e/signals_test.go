package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	enums "go.temporal.io/api/enums/v1"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings/testrun"
	"github.com/oppflow/oppflow/stack"
)

// Signals of the largest size wait while no worker runs. Decoding the signals takes longer than the
// SDK lets a workflow run without yielding.
func TestLargeSignalsWhileNoWorkerRuns(t *testing.T) {
	t.Parallel()
	signals := testrun.Pick(t, 16, 60)
	if testrun.Race { // a workflow task has 10 seconds, and the race detector makes decoding ten times as slow
		signals = 4
	}
	p := startParts(t, stack.Options{})
	reference := "large"
	p.startProposed(reference)
	if err := p.Worker().Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := p.caller(t)
	learners := strings.TrimSuffix(strings.Repeat(`{"firstName":"a","lastName":"b","email":"a@example.com"},`, 500), ",")
	interests := strings.TrimSuffix(strings.Repeat(`{"item":"`+courseItem+`","quantity":1,"unitAmount":"10.00","learners":[`+learners+`]},`, 8), ",")
	for n := range signals {
		if err := c.signal(reference, "addInterests", plainJSON(messageJSON(fmt.Sprint("r", n), `"interests":[`+interests+`]`))); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Worker().Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, 2*time.Minute, "the run has received all signals", func() bool {
		_, err := c.outcome(reference, fmt.Sprint("r", signals-1))
		return err == nil
	})
	for _, run := range p.Runs(opportunity.Reference(reference)) {
		for _, event := range run.Events {
			if failed := event.GetWorkflowTaskFailedEventAttributes(); failed != nil && failed.GetCause() != enums.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND {
				t.Errorf("a workflow task failed: %s: %s", failed.GetCause(), failed.GetFailure().GetMessage())
			}
		}
	}
}
