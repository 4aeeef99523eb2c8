package audit

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/requestlog"
)

// ManualOperation is the name of the GraphQL operation that the experiment sends in the role of a
// person. No message causes an API request with this operation.
const ManualOperation = "ByHand"

func isManual(entry requestlog.Entry) bool {
	return len(entry.Operations) > 0 && entry.Operations[0] == ManualOperation
}

// changeSpan is the time between the arrival of a request that changes a record and the response to
// the request.
type changeSpan struct {
	number   int64
	from, to time.Time
}

// spansOf returns the change spans of Oppflow's requests by record, in the order in which the
// requests arrived. spansOf omits a request if the sandbox executed no mutation of the request.
// spansOf also omits a request that was under way when the sandbox ended, because the request has
// no known end.
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

// checkOverlaps checks that no two changes of one record are under way at the same time. If changes
// overlapped, Oppflow would decide about the later change without the result of the earlier change.
func (a *auditor) checkOverlaps(f *caseFile) {
	if f.record == nil {
		return
	}
	var last changeSpan
	for _, s := range a.spans[f.record.ID] {
		if s.from.Before(last.to) {
			a.report(Concurrent, f.reference, "", "API request %d for record %s arrived %v before the response to API request %d, so two changes of the record overlapped",
				s.number, f.record.ID, last.to.Sub(s.from).Round(time.Millisecond), last.number)
		}
		if s.to.After(last.to) {
			last = s
		}
	}
}
