package audit

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// ManualTransition is a transition that a person made in the TMS.
type ManualTransition struct {
	Record opportunity.ID `json:"record"`
	// To is the name of the step to which the transition leads.
	To string    `json:"to"`
	At time.Time `json:"at"`
}

func (a *auditor) manualSteps(record opportunity.ID) []string {
	var steps []string
	for _, move := range a.evidence.ManualTransitions {
		if move.Record == record {
			steps = append(steps, move.To)
		}
	}
	return steps
}
