package lifecycle

import (
	"strings"

	"github.com/oppflow/oppflow/opportunity"
)

// WorkflowType is the name under which the worker registers the workflow of an opportunity.
const WorkflowType = "Lifecycle"

// TaskQueue is the task queue of the workflow.
const TaskQueue = "opportunities"

const idPrefix = "opportunity/"

// WorkflowID returns the id of the workflow of the opportunity with the reference.
func WorkflowID(reference opportunity.Reference) string { return idPrefix + string(reference) }

// ReferenceOf returns the reference that a workflow id contains, or false when the id is not the id
// of an opportunity's workflow.
func ReferenceOf(workflowID string) (opportunity.Reference, bool) {
	reference, found := strings.CutPrefix(workflowID, idPrefix)
	return opportunity.Reference(reference), found && reference != ""
}
