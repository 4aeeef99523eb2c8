package entity

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/entity/queue"
	"github.com/oppflow/oppflow/opportunity"
)

// Accept puts the command at the end of the queue. id is the caller's request id, or "" for a
// message without an id. silent says that no caller waits for the outcome. Accept returns the id
// under which the outcome can be read. A request that was accepted before is not queued again. If
// the id was accepted with another payload, Accept returns the error Conflict.
func (s *State) Accept(c opportunity.Command, id string, silent bool, now time.Time) (string, error) {
	return s.accept(c, id, silent, now, func() error { return s.checkAcceptable(c, now) })
}

// accept is Accept with the check room, which returns an error when the command cannot be accepted
// now.
func (s *State) accept(c opportunity.Command, id string, silent bool, now time.Time, room func() error) (string, error) {
	payload, err := queue.CanonicalPayload(c)
	if err != nil {
		return "", err
	}
	if err := opportunity.ValidateRequestID(id); err != nil { // the id may be the id of an update
		return "", err
	}
	compared, err := queue.CanonicalPayload(opportunity.WithSource(c, ""))
	if err != nil {
		return "", err
	}
	if id != "" {
		known, err := s.isRepeat(c.MessageName(), id, compared)
		if err != nil {
			return "", err
		}
		if known {
			return id, nil
		}
	}
	if err := room(); err != nil {
		return "", err
	}
	now = now.Truncate(time.Millisecond) // the next run gets the time in milliseconds
	if id == "" {
		id = s.newRequestID()
	} else {
		s.DedupWindow.Add(id, append([]byte(c.MessageName()), compared...))
	}
	s.Queue = append(s.Queue, queue.Command{Request: id, MessageName: c.MessageName(), Payload: payload, ChangeCount: queue.ChangesOf(c), Accepted: now, NoWaiter: silent, FromUpdate: !silent})
	return id, nil
}

// CheckUpdate returns an error when an update with the command must be rejected. If the opportunity
// is paused or closing, CheckUpdate rejects an update that Accept would accept.
func (s *State) CheckUpdate(c opportunity.Command, id string, now time.Time) error {
	if err := opportunity.ValidateRequestID(id); err != nil {
		return err
	}
	compared, err := queue.CanonicalPayload(opportunity.WithSource(c, ""))
	if err != nil {
		return err
	}
	if id != "" {
		known, err := s.isRepeat(c.MessageName(), id, compared)
		if err != nil || known {
			return err
		}
	}
	switch {
	case s.Closing != nil:
		return s.Closing.RequestError()
	case s.Paused != nil:
		return opportunity.Failf(opportunity.Paused, "%s; send the command as a signal, or send the update again later", pauseReason(*s.Paused))
	}
	return s.checkAcceptable(c, now)
}

func (s *State) checkAcceptable(c opportunity.Command, now time.Time) error {
	if extend, ok := c.(opportunity.ExtendReservations); ok && !extend.Until.After(now) {
		return opportunity.Invalidf("until: this time has passed; give a time in the future")
	}
	add, ok := c.(opportunity.AddInterests)
	if !ok {
		return nil
	}
	count := len(s.Interests) + len(add.Interests)
	if s.Start != nil {
		count += len(s.Start.Interests)
	}
	for _, waiting := range slices.Concat(s.Queue, s.Parked) {
		if waiting.MessageName == opportunity.MessageAddInterests {
			count += waiting.RemainingChangeCount()
		}
	}
	if count > opportunity.MaxInterests {
		return opportunity.Invalidf("interests: the opportunity would have %d interests; the limit is %d", count, opportunity.MaxInterests)
	}
	return nil
}

// FailMessage records a message that could not be accepted, so that the message is never lost. The
// message becomes a failed request that needs attention, and FailMessage returns the id of that
// request. The stored reason contains no content of the message, because unknown content may be
// personal data.
func (s *State) FailMessage(name opportunity.MessageName, id string, reason *opportunity.Error, now time.Time) string {
	if id == "" || s.DedupWindow.Find(id) != nil { // a Conflict must not overwrite the outcome of the first request with the id
		id = s.newRequestID()
	}
	name = opportunity.MessageName(opportunity.Truncate(string(name), opportunity.MaxErrorLabel))
	s.dispatchRequestEnd(requestEnd{
		command: queue.Command{Request: id, MessageName: name, NoWaiter: true}, outcome: opportunity.Outcome{RequestID: id, State: opportunity.Failed, Error: reason.Redacted()}, at: now,
	})
	return id
}

// FailExpiredCommands ends as failed each queued request to reserve places until a time that has
// passed. If the API received an expiry time in the past, the API would release the places.
func (s *State) FailExpiredCommands(now time.Time) {
	var expired []queue.Command
	s.Queue = slices.DeleteFunc(s.Queue, func(e queue.Command) bool {
		if !e.IsExpired(now) {
			return false
		}
		expired = append(expired, e)
		return true
	})
	for _, e := range expired {
		why := "until: this time passed while the request waited; nothing was sent"
		if e.MaybeApplied {
			why = "until: this time passed while the request waited; it is unknown whether the places were reserved until this time"
		}
		s.endRequest(e, opportunity.Invalidf("%s", why), now)
	}
}

// Shed ends the newest waiting commands as failed, with the error Busy, until the remaining
// commands fit into the input of the next run. Shed is the last resort before the server terminates
// a run whose history has grown too long.
func (s *State) Shed(now time.Time) {
	parked, _ := s.Parked.EncodedSize(0)
	_, keep := s.Queue.EncodedSize(opportunity.MaxWaitingBytes - parked)
	shed := slices.Clone(s.Queue[keep:])
	s.Queue = s.Queue[:keep:keep]
	for _, e := range shed {
		s.endRequest(e, opportunity.Failf(opportunity.Busy, "too many messages waited, so Oppflow dropped this message; send the message again later"), now)
	}
	s.updateQuestion(now)
}
