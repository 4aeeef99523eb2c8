package workflows

import "go.temporal.io/sdk/workflow"

// The ids of changes of the workflow. A run that began before a change goes on as
// it began.
const (
	// changeProof: a result that does not prove itself says nothing.
	changeProof = "a result proves itself"
	// changeReadmit: what a run before accepted is taken in before anything refuses it.
	changeReadmit = "take in what a run before accepted"
	// changeEnding: when a run or a move ends, whoever waits for it is answered, and the
	// effects of what was not done are taken back, whatever else waits.
	changeEnding = "leave nothing open at an end"
)

// since reports whether the change is in force in the run.
func since(ctx workflow.Context, change string) bool {
	return workflow.GetVersion(ctx, change, workflow.DefaultVersion, 1) != workflow.DefaultVersion
}
