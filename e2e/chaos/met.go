package chaos

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/opportunity"
)

// period is a time in which a disruption was on.
type period struct {
	what     Trouble
	from, to time.Time
	// of is the opportunity that it was about; "" is all of them.
	of opportunity.Reference
}

// Met is how many messages met a kind of disruption. A message met it that had been accepted and was not done while the
// disruption was on, for its opportunity.
type Met struct {
	What Trouble `json:"what"`
	// Times is how often the disruption was carried out.
	Times    int `json:"times"`
	Messages int `json:"messages"`
	// Share is that of all messages.
	Share float64 `json:"share"`
}

// leastMet is the share of the messages that must have met each kind of disruption in the long form.
const leastMet = 0.01

// on notes a time in which a disruption was on, for an opportunity, or for all where none is named.
func (s *Storm) on(what Trouble, from, to time.Time, of opportunity.Reference) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.periods = append(s.periods, period{what: what, from: from.UTC(), to: to.UTC(), of: of})
}

// aboutSome are the disruptions that are about some opportunities alone, and note themselves which and when.
func aboutSome() []Trouble {
	return []Trouble{CommitLate, PullLevers, ResetPaused, ResetOld, FailService, FollowUp, MoveByHand}
}

// met counts, for each kind of disruption that was planned or carried out, the messages that met it. The caller holds mu.
func (s *Storm) met(e audit.Evidence) []Met {
	lives := e.Lives()
	periods := append(slices.Clone(s.periods), lateOnes(e)...)
	var list []Met
	for _, what := range s.plan.kinds() {
		met := Met{What: what, Times: s.carried[what]}
		for _, life := range lives {
			if slices.ContainsFunc(periods, func(p period) bool {
				return p.what == what && (p.of == "" || p.of == life.Reference) && life.During(p.from, p.to)
			}) {
				met.Messages++
			}
		}
		if len(lives) > 0 {
			met.Share = float64(met.Messages) / float64(len(lives))
		}
		list = append(list, met)
	}
	return list
}

// lateOnes are the times in which a change was on its way that was committed late.
func lateOnes(e audit.Evidence) []period {
	references := map[string]opportunity.Reference{}
	for _, record := range e.Records {
		references[string(record.ID)] = record.Mark
	}
	var list []period
	for _, entry := range e.Ledger {
		if !committedLate(entry) {
			continue
		}
		for _, field := range entry.Fields {
			if reference := references[field.Opportunity]; reference != "" {
				list = append(list, period{what: CommitLate, from: entry.Received, to: entry.Answered, of: reference})
			}
		}
	}
	return list
}

// Unmet are the kinds of disruptions that too few messages met: the storm shows nothing of them. In the long form that is
// fewer than a hundredth, else none.
func (r Report) Unmet() []Trouble {
	var list []Trouble
	for _, met := range r.Met {
		if met.Messages == 0 || r.Long && met.Share < leastMet {
			list = append(list, met.What)
		}
	}
	return list
}
