package lifecycle

import (
	"context"
	"fmt"
	"time"

	enums "go.temporal.io/api/enums/v1"

	"github.com/oppflow/oppflow/opportunity"
)

// End is how a run ended, as the server knows it. The workflow itself does not know when
// its run was terminated or timed out.
type End struct {
	// How is completed, failed, cancelled, terminated or timed out.
	How string    `json:"how"`
	At  time.Time `json:"at"`
}

// ends are the words for how a run ended.
var ends = map[enums.WorkflowExecutionStatus]string{
	enums.WORKFLOW_EXECUTION_STATUS_COMPLETED:  "completed",
	enums.WORKFLOW_EXECUTION_STATUS_FAILED:     "failed",
	enums.WORKFLOW_EXECUTION_STATUS_CANCELED:   "cancelled",
	enums.WORKFLOW_EXECUTION_STATUS_TERMINATED: "terminated",
	enums.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:  "timed out",
}

// Ended returns how the latest run of the reference ended; nil says that the run has not
// ended.
func (c *Client) Ended(ctx context.Context, reference opportunity.Reference) (*End, error) {
	if err := reference.Validate(); err != nil {
		return nil, err
	}
	described, err := c.described(ctx, reference)
	if err != nil {
		return nil, c.explain(ctx, reference, err)
	}
	info := described.GetWorkflowExecutionInfo()
	how, ended := ends[info.GetStatus()]
	if !ended {
		return nil, nil
	}
	return &End{How: how, At: info.GetCloseTime().AsTime()}, nil
}

// Left returns the error of a request that waited when the run ended.
func (e End) Left() *opportunity.Error {
	return opportunity.Failf(opportunity.Closed, "the run of the opportunity %s at %s while the request waited; look at the record in the TMS before the request is sent again",
		e.past(), e.At.UTC().Format(time.RFC3339))
}

func (e End) past() string {
	switch e.How {
	case "timed out":
		return e.How
	case "terminated", "cancelled", "completed":
		return fmt.Sprintf("was %s", e.How)
	}
	return e.How
}

// judged returns the outcome after the end of the run. A request that waited at the end
// is not carried out any more, even when the workflow says that it is pending.
func (c *Client) judged(ctx context.Context, reference opportunity.Reference, outcome opportunity.Outcome) opportunity.Outcome {
	if outcome.State != opportunity.Pending {
		return outcome
	}
	end, err := c.Ended(ctx, reference)
	if err != nil || end == nil {
		return outcome
	}
	outcome.State, outcome.Error = opportunity.Failed, end.Left()
	return outcome
}
