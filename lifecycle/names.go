package lifecycle

import (
	"strings"

	"github.com/oppflow/oppflow/opportunity"
)

// WorkflowType is the registered name of the workflow.
const WorkflowType = "Lifecycle"

// TaskQueue is the task queue of the workflow.
const TaskQueue = "opportunities"

const idPrefix = "opportunity/"

// WorkflowID returns the id of the workflow that runs the referenced opportunity.
func WorkflowID(reference opportunity.Reference) string { return idPrefix + string(reference) }

// ReferenceOf returns the reference in a workflow id, and false when the id does not name
// an opportunity.
func ReferenceOf(workflowID string) (opportunity.Reference, bool) {
	reference, found := strings.CutPrefix(workflowID, idPrefix)
	return opportunity.Reference(reference), found && reference != ""
}
