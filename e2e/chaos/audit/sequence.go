package audit

import (
	"slices"
)

// sequence checks the order of messages in the histories. A message that was sent after the acceptance of another one
// was known comes after that one.
func (a *auditor) sequence(f *file) {
	place := map[string]int{}
	for n, r := range f.requests {
		if _, known := place[r.id]; !known && !r.gone {
			place[r.id] = n
		}
	}
	heard := slices.DeleteFunc(slices.Clone(f.told), func(t Told) bool { return t.Heard.IsZero() })
	sent := slices.Clone(heard)
	slices.SortStableFunc(heard, func(x, y Told) int { return x.Heard.Compare(y.Heard) })
	slices.SortStableFunc(sent, func(x, y Told) int { return x.Sent.Compare(y.Sent) })
	last, seen := "", map[string]bool{}
	for _, t := range sent {
		for len(heard) > 0 && !heard[0].Heard.After(t.Sent) {
			if at, known := place[heard[0].Request]; known && heard[0].accepted() && (last == "" || at > place[last]) {
				last = heard[0].Request
			}
			heard = heard[1:]
		}
		if at, known := place[t.Request]; known && !seen[t.Request] && last != "" && at < place[last] {
			a.report(Swapped, f.reference, t.Request, "it was sent after request %s had been accepted, and the history has it before that", last)
		}
		seen[t.Request] = true
	}
}

// accepted reports whether the sender knows that the message is accepted.
func (t Told) accepted() bool { return t.Fate != Refused && t.Fate != Untold }
