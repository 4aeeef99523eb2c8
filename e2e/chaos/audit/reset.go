package audit

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Reset is a reset of a run of an opportunity. The messages that the run had accepted wait again
// since then.
type Reset struct {
	Reference opportunity.Reference `json:"reference"`
	At        time.Time             `json:"at"`
}

// resetTimes are the times at which runs of the reference were reset.
func (a *auditor) resetTimes(reference opportunity.Reference) []time.Time {
	var list []time.Time
	for _, reset := range a.evidence.Resets {
		if reset.Reference == reference {
			list = append(list, reset.At)
		}
	}
	return list
}
