package entity

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/entity/queue"
	"github.com/oppflow/oppflow/opportunity"
)

// After a reset, the server redelivers the messages that the run before the reset accepted. The run
// before the reset may have executed a redelivered message. Therefore a pause, a close, a full
// queue or an expiry time in the past must not reject a redelivered message. Only a read of the
// record shows whether a redelivered message took effect.

// AcceptAfterReset is Accept for a command that the run before a reset may have accepted.
func (s *State) AcceptAfterReset(c opportunity.Command, id string, silent bool, now time.Time) (string, error) {
	return s.accept(c, id, silent, now, func() error { return nil })
}

// CheckAcceptAfterReset returns the error that AcceptAfterReset would return.
func (s *State) CheckAcceptAfterReset(c opportunity.Command, id string) error {
	payload, err := queue.CanonicalPayload(opportunity.WithSource(c, ""))
	if err != nil {
		return err
	}
	if err := opportunity.ValidateRequestID(id); err != nil || id == "" {
		return err
	}
	_, err = s.isRepeat(c.MessageName(), id, payload)
	return err
}

// HasExpiredCommands reports whether FailExpiredCommands would end a request.
func (s *State) HasExpiredCommands(now time.Time) bool {
	return slices.ContainsFunc(s.Queue, func(e queue.Command) bool { return e.IsExpired(now) })
}
