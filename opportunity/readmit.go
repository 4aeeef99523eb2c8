package opportunity

import (
	"slices"
	"time"
)

// After a reset, the messages that the run before accepted arrive once more. The run
// before may have carried them out. So only a read of the record may refuse them. A
// pause, a close, a queue that is full by now, or a time that has passed may not.

// Readmit is Accept for a command that the run before a reset may have accepted.
func (s *State) Readmit(c Command, id string, silent bool, now time.Time) (string, error) {
	return s.accept(c, id, silent, now, func() error { return nil })
}

// Readmits reports why Readmit would refuse, without changing anything.
func (s *State) Readmits(c Command, id string) error {
	payload, err := canonical(WithSource(c, ""))
	if err != nil {
		return err
	}
	if err := validRequestID(id); err != nil || id == "" {
		return err
	}
	_, err = s.known(c.Verb(), id, payload)
	return err
}

// WillLapse reports whether Lapse would end a request.
func (s *State) WillLapse(now time.Time) bool {
	return slices.ContainsFunc(s.Queue, func(e Entry) bool { return e.lapsed(now) })
}

// lapsed reports whether the entry asks to hold places until a time that has passed.
func (e Entry) lapsed(now time.Time) bool {
	if e.Verb != VerbExtendReservations || e.Doubt {
		return false
	}
	c, err := e.command()
	extend, ok := c.(ExtendReservations)
	return err == nil && ok && !extend.Until.After(now)
}
