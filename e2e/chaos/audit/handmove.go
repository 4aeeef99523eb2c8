package audit

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// HandMove is a move that a person made in the TMS.
type HandMove struct {
	Record opportunity.ID `json:"record"`
	// To is the name of the step.
	To string    `json:"to"`
	At time.Time `json:"at"`
}

// handSteps are the steps into which people moved the record.
func (a *auditor) handSteps(record opportunity.ID) []string {
	var steps []string
	for _, move := range a.evidence.ByHand {
		if move.Record == record {
			steps = append(steps, move.To)
		}
	}
	return steps
}
