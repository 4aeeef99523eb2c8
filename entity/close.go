package entity

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// startClosing stores the reason of the first message close.
func (s *State) startClosing(c opportunity.Close, now time.Time) {
	if s.Closing != nil {
		return
	}
	s.Closing = &opportunity.CloseInfo{Reason: c.Reason, Since: now}
	s.appendTimeline(now, "an operator closed the opportunity")
}
