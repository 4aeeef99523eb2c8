package audit

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/requestlog"
)

// ManualOperation is the name of the GraphQL operation of people: such a request carries no
// message.
const ManualOperation = "ByHand"

// isManual reports whether a person sent the request.
func isManual(entry requestlog.Entry) bool {
	return len(entry.Operations) > 0 && entry.Operations[0] == ManualOperation
}

// changeSpan is the time in which a request changed a record, or tried to.
type changeSpan struct {
	number   int64
	from, to time.Time
}

// spansOf returns, by record, when Oppflow's requests changed the record, in the order in which the
// requests came. A request without a field that ran changed nothing. The end of a request that was
// under way when the sandbox ended is unknown.
func spansOf(entries []requestlog.Entry) map[opportunity.ID][]changeSpan {
	spans := map[opportunity.ID][]changeSpan{}
	for _, entry := range entries {
		if entry.Answered.IsZero() || isManual(entry) {
			continue
		}
		var of []opportunity.ID
		for _, field := range entry.Fields {
			if id := opportunity.ID(field.Opportunity); id != "" && field.Outcome != requestlog.NotRun && !slices.Contains(of, id) {
				of = append(of, id)
			}
		}
		for _, id := range of {
			spans[id] = append(spans[id], changeSpan{number: entry.Number, from: entry.Received, to: entry.Answered})
		}
	}
	for _, list := range spans {
		slices.SortStableFunc(list, func(x, y changeSpan) int { return x.from.Compare(y.from) })
	}
	return spans
}

// checkOverlaps checks that no two changes of one record are under way at the same time. The decision about the later change
// would not know the result of the earlier one.
func (a *auditor) checkOverlaps(f *caseFile) {
	if f.record == nil {
		return
	}
	var last changeSpan
	for _, s := range a.spans[f.record.ID] {
		if s.from.Before(last.to) {
			a.report(Concurrent, f.reference, "", "request %d for record %s came %v before request %d was over",
				s.number, f.record.ID, last.to.Sub(s.from).Round(time.Millisecond), last.number)
		}
		if s.to.After(last.to) {
			last = s
		}
	}
}
