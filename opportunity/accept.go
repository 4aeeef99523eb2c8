package opportunity

import (
	"fmt"
	"time"
)

// StartRequest is the request id of the interests a start carries.
const StartRequest = "#start"

// Accept puts the command at the end of the queue. id is the caller's request
// id, or "" for a message that has none; silent says that nobody waits for the
// answer. It answers the id under which the outcome can be asked for. A request
// that was accepted before is not queued again; the same id with another
// payload is a Conflict.
func (s *State) Accept(c Command, id string, silent bool, now time.Time) (string, error) {
	payload, err := canonical(c)
	if err != nil {
		return "", err
	}
	if err := validRequestID(id); err != nil { // the id may be an update's
		return "", err
	}
	if id != "" {
		known, err := s.known(c.Verb(), id, payload)
		if err != nil {
			return "", err
		}
		if known {
			return id, nil
		}
	}
	if err := s.roomFor(c); err != nil {
		return "", err
	}
	if id == "" {
		id = s.unnamed()
	} else {
		s.Handled.add(id, append([]byte(c.Verb()), payload...))
	}
	s.Queue = append(s.Queue, Entry{Request: id, Verb: c.Verb(), Payload: payload, Changes: changes(c), Accepted: now, Silent: silent})
	return id, nil
}

// Admits reports why Accept would refuse the command, without changing anything.
func (s *State) Admits(c Command, id string) error {
	payload, err := canonical(c)
	if err != nil {
		return err
	}
	if err := validRequestID(id); err != nil {
		return err
	}
	if id != "" {
		known, err := s.known(c.Verb(), id, payload)
		if err != nil || known {
			return err
		}
	}
	return s.roomFor(c)
}

func (s *State) known(verb Verb, id string, payload []byte) (bool, error) {
	handled := s.Handled.find(id)
	if handled == nil {
		return false, nil
	}
	if handled.payload != digestOf(append([]byte(verb), payload...)) {
		return false, Failf(Conflict, "requestId %q was used for another message; give each message an id of its own", id)
	}
	return true, nil
}

func (s *State) roomFor(c Command) error {
	add, ok := c.(AddInterests)
	if !ok {
		return nil
	}
	count := len(s.Interests) + len(add.Interests)
	if s.Start != nil {
		count += len(s.Start.Interests)
	}
	for _, waiting := range s.Queue {
		if waiting.Verb == VerbAddInterests {
			count += waiting.mutationsLeft()
		}
	}
	if count > MaxInterests {
		return Invalidf("interests: the opportunity would have %d; at most %d", count, MaxInterests)
	}
	return nil
}

// Refuse records a message that could not be accepted, so that it never
// vanishes: as a failed request that needs attention. It answers its id.
func (s *State) Refuse(verb Verb, id string, reason *Error, now time.Time) string {
	if id == "" || s.Handled.find(id) != nil { // a Conflict must not overwrite the first one's outcome
		id = s.unnamed()
	}
	s.close(Entry{Request: id, Verb: verb, Silent: true}, Outcome{RequestID: id, State: Failed, Error: reason}, now)
	return id
}

// unnamed gives an id to a message that came without one.
func (s *State) unnamed() string {
	s.Unnamed++
	return fmt.Sprintf("#%d", s.Unnamed)
}
