package audit

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/requestlog"
)

// Evidence is the data from all sources that the auditor compares.
type Evidence struct {
	// At is when the tables were read.
	At time.Time `json:"at"`
	// ExistingRecords are the records that existed before the experiment sent its first message.
	ExistingRecords []opportunity.ID `json:"before,omitempty"`
	Observations    []Observation    `json:"observations"`
	// Chains are the chains of each reference, in the order of their starts.
	Chains     []Chain            `json:"chains"`
	Records    []Record           `json:"records"`
	RequestLog []requestlog.Entry `json:"requestLog"`
	// Samples are the samples of the open opportunities over time.
	Samples []Sample `json:"samples,omitempty"`
	// ManualTransitions are the transitions that people made in the TMS.
	ManualTransitions []ManualTransition `json:"byHand,omitempty"`
	// ManualChanges are the edits and removals of interests by people in the TMS.
	ManualChanges []ManualChange `json:"manualChanges,omitempty"`
	// Bookings are the objects that effects create.
	Bookings Bookings `json:"bookings,omitzero"`
	// Restores are the restores of Temporal's database.
	Restores []Restore `json:"restores,omitempty"`
	// Resets are the resets of runs.
	Resets []Reset `json:"resets,omitempty"`
}

// Tolerances are the settings that decide what is a violation. The zero value stands for the
// defaults.
type Tolerances struct {
	// MaxQuestionShare is the highest allowed share of messages that end with a question to an
	// operator; 0 means one hundredth.
	MaxQuestionShare float64
	// Effects says that the playbook has the effects of the default playbook for a won opportunity.
	Effects bool
}
