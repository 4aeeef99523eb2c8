package audit

import (
	"slices"

	"github.com/oppflow/oppflow/opportunity"
)

// checkRecords checks that every record has a reference tag, and that no two records have the same
// reference tag. checkRecords also checks that a run changes only the record with the run's
// reference tag.
func (a *auditor) checkRecords() {
	marked := map[opportunity.Reference][]opportunity.ID{}
	for _, r := range a.evidence.Records {
		switch {
		case slices.Contains(a.evidence.ExistingRecords, r.ID):
		case r.ReferenceTag == "":
			a.report(OrphanRecord, "", "", "record %s has no reference tag", r.ID)
		case a.cases[r.ReferenceTag] == nil:
			a.report(OrphanRecord, r.ReferenceTag, "", "record %s has the reference tag of an unknown opportunity", r.ID)
		default:
			marked[r.ReferenceTag] = append(marked[r.ReferenceTag], r.ID)
		}
	}
	for _, reference := range slices.Clone(a.references) {
		f, ids := a.cases[reference], marked[reference]
		if len(ids) > 1 {
			a.report(OrphanRecord, reference, "", "records %v have the reference tag of the same opportunity, but only one record may have the tag", ids)
		}
		for _, c := range f.chains {
			if c.View == nil || c.View.Opportunity == "" {
				continue
			}
			if !slices.Contains(ids, c.View.Opportunity) {
				a.report(OrphanRecord, reference, "", "the opportunity's run changes record %s, but this record does not exist or lacks the opportunity's reference tag", c.View.Opportunity)
			}
			// If several records have the reference tag, the later checks use the record that the
			// run names.
			for i := range a.evidence.Records {
				if r := &a.evidence.Records[i]; r.ID == c.View.Opportunity && f.record != r {
					f.record = r
				}
			}
		}
	}
}
