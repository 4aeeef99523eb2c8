package chaos

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/opportunity"
)

type disruptionPeriod struct {
	kind     DisruptionKind
	from, to time.Time
	// reference is the opportunity that the disruption affects; "" means all opportunities.
	reference opportunity.Reference
}

// Coverage is how many messages a kind of disruption affected. A disruption affects a message if
// the disruption was active for the message's opportunity while the message waited.
type Coverage struct {
	Kind     DisruptionKind `json:"what"`
	Times    int            `json:"times"`
	Messages int            `json:"messages"`
	Share    float64        `json:"share"`
}

// minCoverage is the share of the messages that each kind of disruption must have affected in the
// long form of the experiment.
const minCoverage = 0.01

func (s *Experiment) recordPeriod(what DisruptionKind, from, to time.Time, of opportunity.Reference) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.periods = append(s.periods, disruptionPeriod{kind: what, from: from.UTC(), to: to.UTC(), reference: of})
}

// The functions of these disruptions call recordPeriod themselves.
func perOpportunityKinds() []DisruptionKind {
	return []DisruptionKind{CommitLate, OperateActivities, ResetPaused, ResetOld, FailService, SendWhenDue, TransitionManually, ChangeManually}
}

// The caller holds mu.
func (s *Experiment) coverage(e audit.Evidence) []Coverage {
	lives := e.WaitPeriods()
	periods := append(slices.Clone(s.periods), latePeriods(e)...)
	var list []Coverage
	for _, what := range s.plan.kinds() {
		met := Coverage{Kind: what, Times: s.executions[what]}
		for _, life := range lives {
			if slices.ContainsFunc(periods, func(p disruptionPeriod) bool {
				return p.kind == what && (p.reference == "" || p.reference == life.Reference) && life.Overlaps(p.from, p.to)
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

// latePeriods returns, for each change that was committed late, the period in which its request was
// under way.
func latePeriods(e audit.Evidence) []disruptionPeriod {
	references := map[string]opportunity.Reference{}
	for _, record := range e.Records {
		references[string(record.ID)] = record.ReferenceTag
	}
	var list []disruptionPeriod
	for _, entry := range e.RequestLog {
		if !isCommittedLate(entry) {
			continue
		}
		for _, field := range entry.Fields {
			if reference := references[field.Opportunity]; reference != "" {
				list = append(list, disruptionPeriod{kind: CommitLate, from: entry.Received, to: entry.Answered, reference: reference})
			}
		}
	}
	return list
}

// Uncovered returns the kinds of disruptions that affected too few messages for a conclusion. In
// the long form of the experiment, less than minCoverage of the messages is too few. In any other
// form of the experiment, a kind is uncovered only if it affected no message.
func (r Report) Uncovered() []DisruptionKind {
	var list []DisruptionKind
	for _, met := range r.Coverage {
		if met.Messages == 0 || r.Long && met.Share < minCoverage {
			list = append(list, met.Kind)
		}
	}
	return list
}
