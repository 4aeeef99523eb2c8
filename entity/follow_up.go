package entity

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// SnoozedFollowUp is a planned follow-up that an operator snoozed.
type SnoozedFollowUp struct {
	Key    string    `json:"key"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason,omitempty"`
}

// CompleteFollowUp stores that the follow-up with the key was done, so that no later plan makes
// the follow-up due again.
func (s *State) CompleteFollowUp(key string, now time.Time) {
	if s.endFollowUp(exchange.DoneFollowUp{Key: key, At: now}) {
		s.appendTimeline(now, "follow-up started: "+key)
	}
	if len(s.FollowUps) == 0 && s.FollowUpsTruncated {
		s.requestPlan()
	}
}

// cancelFollowUp ends the follow-up without doing it. Later follow-ups are planned again, because
// their times count from now when the cancelled follow-up was late.
func (s *State) cancelFollowUp(c opportunity.CancelFollowUp, now time.Time) {
	effect := exchange.Effect{Key: c.FollowUp}
	for _, f := range s.FollowUps {
		if f.Key == c.FollowUp {
			effect.Kind = opportunity.EffectKind(f.Action.Kind)
		}
	}
	s.endFollowUp(exchange.DoneFollowUp{Key: c.FollowUp, At: now, Cancelled: true})
	s.appendTimeline(now, "an operator cancelled a follow-up: "+c.FollowUp)
	s.recordEffectResult(ActiveEffect{Effect: effect}, opportunity.EffectSkipped, c.Reason, now)
	s.requestPlan()
}

// snooze delays the follow-up. A second snooze of the same follow-up replaces the time of the
// first. snooze also requests a new plan, so that the run wakes at the right time.
func (s *State) snooze(z opportunity.Snooze, now time.Time) {
	s.SnoozedFollowUps = slices.DeleteFunc(s.SnoozedFollowUps, func(o SnoozedFollowUp) bool { return o.Key == z.FollowUp })
	s.SnoozedFollowUps = append(s.SnoozedFollowUps, SnoozedFollowUp{Key: z.FollowUp, Until: z.Until.UTC(), Reason: z.Reason})
	s.appendTimeline(now, "an operator snoozed a follow-up until "+z.Until.UTC().Format(time.RFC3339)+": "+z.FollowUp)
	s.requestPlan()
}
