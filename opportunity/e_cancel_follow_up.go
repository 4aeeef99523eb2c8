package opportunity

import "time"

// cancelFollowUp keeps the follow-up from ever being done. Later follow-ups are planned again, since their times
// count from now when the cancelled one was late.
func (s *State) cancelFollowUp(c CancelFollowUp, now time.Time) {
	effect := Effect{Key: c.FollowUp}
	for _, f := range s.FollowUps {
		if f.Key == c.FollowUp {
			effect.Kind = EffectKind(f.Action.Kind)
		}
	}
	s.endFollowUp(DoneFollowUp{Key: c.FollowUp, At: now, Cancelled: true})
	s.appendTimeline(now, "a follow-up was cancelled by an operator: "+c.FollowUp)
	s.recordEffectResult(ActiveEffect{Effect: effect}, EffectSkipped, c.Reason, now)
	s.requestPlan()
}
