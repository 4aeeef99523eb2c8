package audit

import (
	"encoding/json"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Status is how far a chain of runs has come.
type Status string

// The statuses of a chain, by that of its last run.
const (
	Running    Status = "running"
	Completed  Status = "completed"
	Rejected   Status = "failed"
	Canceled   Status = "canceled"
	Terminated Status = "terminated"
)

// Chain is a run of a reference with those that continue it. A reference whose run was terminated and that was started
// again has several.
type Chain struct {
	Reference opportunity.Reference `json:"reference"`
	// Runs are the ids of its runs, the first one first. The list has the new run of a reset, and not the run that was
	// reset.
	Runs   []string          `json:"runs"`
	Status Status            `json:"status"`
	Start  opportunity.Start `json:"start"`
	// Accepted are the commands in the order in which the history has them, as often as it has them.
	Accepted []Accepted `json:"accepted"`
	// Skipped are the requests whose question an operator has answered with "never mind".
	Skipped []string `json:"skipped,omitempty"`
	// View is what the workflow answers, nil where it answers nothing.
	View *opportunity.View `json:"view,omitempty"`
	// Outcomes are what the workflow answers about requests, by their id. What it does not know is not there.
	Outcomes map[string]opportunity.Outcome `json:"outcomes"`
}

// Accepted is a command that Temporal has taken.
type Accepted struct {
	Request   string                  `json:"request"`
	Message   opportunity.MessageName `json:"verb"`
	Payload   json.RawMessage         `json:"payload"`
	Transport Transport               `json:"way"`
	Run       string                  `json:"run"`
	Event     int64                   `json:"event"`
	At        time.Time               `json:"at"`
	// ReportedAt is when the last change that was made for it was reported; zero where none was.
	ReportedAt time.Time `json:"over,omitzero"`
	// Refusal is why the workflow, having taken the update, did not take the command in.
	Refusal string `json:"refusal,omitempty"`
}
