package audit

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/requestlog"
)

// Evidence is the data from all sources that the auditor compares.
type Evidence struct {
	// At is when the sandbox's tables were read.
	At time.Time `json:"at"`
	// ExistingRecords are the records that existed before the experiment sent its first message.
	ExistingRecords []opportunity.ID `json:"before,omitempty"`
	Observations    []Observation    `json:"observations"`
	// Chains are the chains of all references. The chains of one reference are in the order of
	// their starts.
	Chains            []Chain            `json:"chains"`
	Records           []Record           `json:"records"`
	RequestLog        []requestlog.Entry `json:"requestLog"`
	Samples           []Sample           `json:"samples,omitempty"`
	ManualTransitions []ManualTransition `json:"byHand,omitempty"`
	ManualChanges     []ManualChange     `json:"manualChanges,omitempty"`
	Bookings          Bookings           `json:"bookings,omitzero"`
	Restores          []Restore          `json:"restores,omitempty"`
	Resets            []Reset            `json:"resets,omitempty"`
}

// Tolerances are the settings that decide what is a violation. The zero value selects the defaults.
type Tolerances struct {
	// MaxQuestionShare is the highest allowed share of messages that end with a question to an
	// operator; 0 means one hundredth.
	MaxQuestionShare float64
	// Effects says that the playbook has the effects of the default playbook for a won opportunity.
	Effects bool
}
