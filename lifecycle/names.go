package lifecycle

import (
	"strings"

	"github.com/oppflow/oppflow/opportunity"
)

// WorkflowType is the registered name of the workflow.
const WorkflowType = "Lifecycle"

// TaskQueue is where the workflow's tasks are.
const TaskQueue = "opportunities"

const idPrefix = "opportunity/"

// WorkflowID answers the id of the workflow that runs the referenced opportunity.
func WorkflowID(reference opportunity.Reference) string { return idPrefix + string(reference) }

// ReferenceOf answers the reference in a workflow id, and false when the id
// does not name an opportunity.
func ReferenceOf(workflowID string) (opportunity.Reference, bool) {
	reference, found := strings.CutPrefix(workflowID, idPrefix)
	return opportunity.Reference(reference), found && reference != ""
}
