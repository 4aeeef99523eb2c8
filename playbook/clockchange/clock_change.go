// Package clockchange finds the times at which the clocks of a time zone are set forward or back.
package clockchange

import "time"

// Nearest returns the clock change nearest to t, in the time zone of t.
func Nearest(t time.Time) time.Time {
	begins, ends := t.ZoneBounds()
	switch {
	case begins.IsZero():
		return ends
	case ends.IsZero() || t.Sub(begins) < ends.Sub(t):
		return begins
	}
	return ends
}

// Repeated returns when the clocks were last set back, and by how much. If t is not the second
// moment with its local time, Repeated returns zero values.
func Repeated(t time.Time) (begins time.Time, by time.Duration) {
	begins, _ = t.ZoneBounds()
	if begins.IsZero() {
		return time.Time{}, 0
	}
	_, now := t.Zone()
	_, before := begins.Add(-1).Zone()
	by = time.Duration(before-now) * time.Second
	if by > 0 && t.Before(begins.Add(by)) {
		return begins, by
	}
	return time.Time{}, 0
}

// AfterRepeated returns t. If t is the second moment with its local time, AfterRepeated returns the
// end of the repeated local times. For a later t, the result never has an earlier local time.
func AfterRepeated(t time.Time) time.Time {
	if begins, by := Repeated(t); !begins.IsZero() {
		return begins.Add(by)
	}
	return t
}
