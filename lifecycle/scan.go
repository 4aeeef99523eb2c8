package lifecycle

import (
	"fmt"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
)

// The scan is the workflow that compares the records of the open runs of a namespace with the
// search attributes of the runs. Each namespace has at most one scan.
const (
	// ScanType is the name under which the worker registers the scan.
	ScanType = "Scan"
	// ScanID is the workflow id of the scan.
	ScanID = "oppflow/scan"
)

var (
	// ScanOf is a query that returns the ScanState.
	ScanOf = Message[struct{}, ScanState]{
		Name:        "view",
		Description: "Returns the period, the progress and the last pass of the scan: {}",
	}
	// SetScan is a signal that changes the settings of the scan. A signal can also start the scan.
	SetScan = Message[ScanSettings, struct{}]{
		Name:        "setScan",
		Description: "Changes the period of the scan or ends the scan; workers send this signal when they start",
	}
)

// ScanSettings are the settings of the scan. The zero value changes nothing.
type ScanSettings struct {
	// Period is the time, in nanoseconds, in which the scan compares all open runs once.
	Period time.Duration `json:"period,omitempty"`
	// Off ends the scan.
	Off bool `json:"off,omitempty"`
}

// ScanOptions returns the options that start the scan.
func ScanOptions() client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       ScanID,
		TaskQueue:                TaskQueue,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
	}
}

// OpenRunsQuery returns the list filter for the open runs of opportunities. If startedSince is not
// zero, the filter selects only runs that started at or after this time. For a run that follows a
// continue as new, the filter uses the start of that run.
func OpenRunsQuery(startedSince time.Time) string {
	query := fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Running'", WorkflowType)
	if !startedSince.IsZero() {
		query += fmt.Sprintf(" AND StartTime >= '%s'", startedSince.UTC().Format(time.RFC3339Nano))
	}
	return query
}
