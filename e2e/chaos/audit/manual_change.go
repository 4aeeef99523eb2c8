package audit

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// ManualChange is an edit or the removal of an interest by a person in the TMS.
type ManualChange struct {
	At      time.Time      `json:"at"`
	Record  opportunity.ID `json:"record"`
	Before  Interest       `json:"before"`
	Removed bool           `json:"removed,omitempty"`
}

// withoutManualChanges returns the records as they would be if no person had edited or removed an
// interest.
func (e Evidence) withoutManualChanges() []Record {
	records := slices.Clone(e.Records)
	changes := slices.Clone(e.ManualChanges)
	slices.SortStableFunc(changes, func(x, y ManualChange) int { return y.At.Compare(x.At) }) // the latest change is reverted first
	for _, change := range changes {
		of := slices.IndexFunc(records, func(r Record) bool { return r.ID == change.Record })
		if of < 0 {
			continue
		}
		list := slices.Clone(records[of].Interests)
		at := slices.IndexFunc(list, func(i Interest) bool { return i.ID == change.Before.ID })
		switch {
		case at >= 0:
			list[at].Quantity, list[at].UnitAmount = change.Before.Quantity, change.Before.UnitAmount
		case change.Removed:
			after := slices.IndexFunc(list, func(i Interest) bool { return i.Key > change.Before.Key })
			if after < 0 {
				after = len(list)
			}
			list = slices.Insert(list, after, change.Before)
		}
		records[of].Interests = list
	}
	return records
}
