package audit

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Reset is a reset of a run of an opportunity. The new run gets again the messages that the old run
// had accepted.
type Reset struct {
	Reference opportunity.Reference `json:"reference"`
	At        time.Time             `json:"at"`
}

func (a *auditor) resetTimes(reference opportunity.Reference) []time.Time {
	var list []time.Time
	for _, reset := range a.evidence.Resets {
		if reset.Reference == reference {
			list = append(list, reset.At)
		}
	}
	return list
}
