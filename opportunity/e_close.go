package opportunity

import "time"

// startClosing stores the first reason; a second close changes nothing.
func (s *State) startClosing(c Close, now time.Time) {
	if s.Closing != nil {
		return
	}
	s.Closing = &CloseInfo{Reason: c.Reason, Since: now}
	s.appendTimeline(now, "closed by an operator")
}
