package lifecycle

import (
	"context"
	"fmt"
	"time"

	enums "go.temporal.io/api/enums/v1"

	"github.com/oppflow/oppflow/opportunity"
)

// RunEnd describes how a run ended, according to the server. The state of the workflow does not
// show that its run was terminated or timed out.
type RunEnd struct {
	Status string    `json:"how"`
	At     time.Time `json:"at"`
}

var statusWords = map[enums.WorkflowExecutionStatus]string{
	enums.WORKFLOW_EXECUTION_STATUS_COMPLETED:  "completed",
	enums.WORKFLOW_EXECUTION_STATUS_FAILED:     "failed",
	enums.WORKFLOW_EXECUTION_STATUS_CANCELED:   "cancelled",
	enums.WORKFLOW_EXECUTION_STATUS_TERMINATED: "terminated",
	enums.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:  "timed out",
}

// RunEnd returns how the latest run of the reference ended, or nil while this run is open.
func (c *Client) RunEnd(ctx context.Context, reference opportunity.Reference) (*RunEnd, error) {
	if err := reference.Validate(); err != nil {
		return nil, err
	}
	described, err := c.describe(ctx, reference)
	if err != nil {
		return nil, c.contractError(ctx, reference, err)
	}
	info := described.GetWorkflowExecutionInfo()
	how, ended := statusWords[info.GetStatus()]
	if !ended {
		return nil, nil
	}
	return &RunEnd{Status: how, At: info.GetCloseTime().AsTime()}, nil
}

// PendingRequestError returns the error for a request that was still waiting when the run ended.
func (e RunEnd) PendingRequestError() *opportunity.Error {
	return opportunity.Failf(opportunity.Closed, "the run of the opportunity %s at %s while the request waited; check the record in the TMS before you send the request again",
		e.statusClause(), e.At.UTC().Format(time.RFC3339))
}

func (e RunEnd) statusClause() string {
	switch e.Status {
	case "timed out":
		return e.Status
	case "terminated", "cancelled", "completed":
		return fmt.Sprintf("was %s", e.Status)
	}
	return e.Status
}

// withRunEnd replaces a pending outcome by a failed outcome when the run has ended. For a request
// that waited when the run ended, the query still returns a pending outcome, although no worker
// will execute the request.
func (c *Client) withRunEnd(ctx context.Context, reference opportunity.Reference, outcome opportunity.Outcome) opportunity.Outcome {
	if outcome.State != opportunity.Pending {
		return outcome
	}
	end, err := c.RunEnd(ctx, reference)
	if err != nil || end == nil {
		return outcome
	}
	outcome.State, outcome.Error = opportunity.Failed, end.PendingRequestError()
	return outcome
}
