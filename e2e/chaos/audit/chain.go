package audit

import (
	"encoding/json"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Status is the status of a chain of runs.
type Status string

// These constants are the statuses of a chain. A chain has the status of the last run in the chain.
const (
	Running    Status = "running"
	Completed  Status = "completed"
	Rejected   Status = "failed"
	Canceled   Status = "canceled"
	Terminated Status = "terminated"
)

// Chain is the sequence of runs that began with one start of an opportunity: the first run, and the
// runs that continue the first run. A reference has several chains if the opportunity was started
// again after a run had ended.
type Chain struct {
	Reference opportunity.Reference `json:"reference"`
	// Runs are the ids of the runs, oldest first. After a reset, Runs contains the run that the
	// reset created, and not the run before the reset.
	Runs   []string          `json:"runs"`
	Status Status            `json:"status"`
	Start  opportunity.Start `json:"start"`
	// Accepted are the commands that Temporal accepted for the chain, in the order of the history.
	// A repeated command occurs several times.
	Accepted []Accepted `json:"accepted"`
	// Skipped are the requests whose question an operator has answered with skip.
	Skipped []string `json:"skipped,omitempty"`
	// Reads are the periods in which the chain read the record, each from the scheduling of a read
	// to the end of the read.
	Reads []Period `json:"reads,omitempty"`
	// RegisteredAt are the times at which the run scheduled requests to register learners.
	RegisteredAt []time.Time `json:"registeredAt,omitempty"`
	// View is the view that the workflow returns; nil if the workflow returns no view.
	View *opportunity.View `json:"view,omitempty"`
	// Outcomes are the outcomes that the workflow returns, by request id.
	Outcomes map[string]opportunity.Outcome `json:"outcomes"`
}

// Accepted is a command that Temporal has accepted.
type Accepted struct {
	Request   string                  `json:"request"`
	Message   opportunity.MessageName `json:"message"`
	Payload   json.RawMessage         `json:"payload"`
	Transport Transport               `json:"way"`
	Run       string                  `json:"run"`
	Event     int64                   `json:"event"`
	At        time.Time               `json:"at"`
	// ReportedAt is when an activity reported the last change for the command to Temporal; zero if
	// the command made no change.
	ReportedAt time.Time `json:"over,omitzero"`
	// Refusal is why the workflow rejected the command after the workflow had accepted the update.
	Refusal string `json:"refusal,omitempty"`
}
