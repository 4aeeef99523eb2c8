package audit

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// WaitPeriod is the time in which an accepted message waited.
type WaitPeriod struct {
	Reference opportunity.Reference
	Request   string
	// From is when the message was first accepted. To is when the last change of the message was
	// reported; zero if the message still waits. To equals From if no change was sent for the
	// message.
	From, To time.Time
}

// Overlaps reports whether the message waited at any moment between from and to.
func (l WaitPeriod) Overlaps(from, to time.Time) bool {
	return !l.From.After(to) && (l.To.IsZero() || !l.To.Before(from))
}

// WaitPeriods returns one wait period for each accepted message.
func (e Evidence) WaitPeriods() []WaitPeriod {
	var list []WaitPeriod
	for i := range e.Chains {
		list = append(list, e.Chains[i].waitPeriods()...)
	}
	return list
}

func (c *Chain) waitPeriods() []WaitPeriod {
	var list []WaitPeriod
	seen := map[string]bool{}
	for _, a := range c.Accepted {
		if a.Refusal != "" || seen[a.Request] {
			continue
		}
		seen[a.Request] = true
		life := WaitPeriod{Reference: c.Reference, Request: a.Request, From: a.At, To: a.ReportedAt}
		if life.To.IsZero() && (c.Status != Running || c.Outcomes[a.Request].State != opportunity.Pending) {
			life.To = life.From
		}
		list = append(list, life)
	}
	return list
}
