package audit

import (
	"slices"
)

// If a sender sent a message after the acceptance of another message was known, the histories must
// contain the two messages in this order.
func (a *auditor) checkMessageOrder(f *caseFile) {
	place := map[string]int{}
	for n, r := range f.requests {
		if _, known := place[r.id]; !known && !r.lostByRestore {
			place[r.id] = n
		}
	}
	heard := slices.DeleteFunc(slices.Clone(f.observations), func(t Observation) bool { return t.AnsweredAt.IsZero() })
	sent := slices.Clone(heard)
	slices.SortStableFunc(heard, func(x, y Observation) int { return x.AnsweredAt.Compare(y.AnsweredAt) })
	slices.SortStableFunc(sent, func(x, y Observation) int { return x.SentAt.Compare(y.SentAt) })
	last, seen := "", map[string]bool{}
	for _, t := range sent {
		for len(heard) > 0 && !heard[0].AnsweredAt.After(t.SentAt) {
			if at, known := place[heard[0].Request]; known && heard[0].isAccepted() && (last == "" || at > place[last]) {
				last = heard[0].Request
			}
			heard = heard[1:]
		}
		if at, known := place[t.Request]; known && !seen[t.Request] && last != "" && at < place[last] {
			a.report(Reordered, f.reference, t.Request, "the request was sent after request %s was accepted, but the history contains the two requests in the opposite order", last)
		}
		seen[t.Request] = true
	}
}

func (t Observation) isAccepted() bool { return t.Result != Refused && t.Result != Unknown }
