package entity

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// startClosing stores the first reason; a second close changes nothing.
func (s *State) startClosing(c opportunity.Close, now time.Time) {
	if s.Closing != nil {
		return
	}
	s.Closing = &opportunity.CloseInfo{Reason: c.Reason, Since: now}
	s.appendTimeline(now, "closed by an operator")
}
