package audit

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/requestlog"
)

// Evidence is all that the witnesses say.
type Evidence struct {
	// At is when the tables were read.
	At time.Time `json:"at"`
	// ExistingRecords are the records that were there before anybody sent anything.
	ExistingRecords []opportunity.ID `json:"before,omitempty"`
	Observations    []Observation    `json:"told"`
	// Chains are, for each reference, in the order they were started.
	Chains     []Chain            `json:"chains"`
	Records    []Record           `json:"records"`
	RequestLog []requestlog.Entry `json:"ledger"`
	// Samples are what could be seen of the opportunities that were open, again and again.
	Samples []Sample `json:"samples,omitempty"`
	// ManualTransitions are the moves that people made in the TMS.
	ManualTransitions []ManualTransition `json:"byHand,omitempty"`
	// Restores are those of Temporal's database.
	Restores []Restore `json:"restores,omitempty"`
	// Resets are those of runs.
	Resets []Reset `json:"resets,omitempty"`
}

// Tolerances are what may be set about what is a violation. The zero value is right for most.
type Tolerances struct {
	// MaxQuestionShare is the share of the messages that may end as a question; 0 is a hundredth.
	MaxQuestionShare float64
}
