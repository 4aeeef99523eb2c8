package opportunity

import (
	"slices"
	"time"
)

// StartRequest is the request id of the interests that a start carries.
const StartRequest = "#start"

// Accept puts the command at the end of the queue. id is the caller's request id,
// or "" for a message without an id. silent says that no caller waits for the
// outcome. Accept returns the id under which the outcome can be asked for. A
// request that was accepted before is not queued again; the same id with another
// payload is a Conflict.
func (s *State) Accept(c Command, id string, silent bool, now time.Time) (string, error) {
	return s.accept(c, id, silent, now, func() error { return s.roomFor(c, now) })
}

// accept is Accept, with room as the check for space. room reports why there is no
// room for the command.
func (s *State) accept(c Command, id string, silent bool, now time.Time, room func() error) (string, error) {
	payload, err := canonical(c)
	if err != nil {
		return "", err
	}
	if err := validRequestID(id); err != nil { // the id may be the id of an update
		return "", err
	}
	compared, err := canonical(WithSource(c, ""))
	if err != nil {
		return "", err
	}
	if id != "" {
		known, err := s.known(c.Verb(), id, compared)
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
	now = now.Truncate(time.Millisecond) // as it is carried into the next run
	if id == "" {
		id = s.unnamed()
	} else {
		s.Handled.add(id, append([]byte(c.Verb()), compared...))
	}
	s.Queue = append(s.Queue, Entry{Request: id, Verb: c.Verb(), Payload: payload, Changes: changes(c), Accepted: now, Silent: silent, Called: !silent})
	return id, nil
}

// Admits reports why an update with the command is refused, without changing
// anything. A paused or closing opportunity refuses an update here that Accept
// would accept. A request that was accepted before may be asked about at any time.
func (s *State) Admits(c Command, id string, now time.Time) error {
	if err := validRequestID(id); err != nil {
		return err
	}
	compared, err := canonical(WithSource(c, ""))
	if err != nil {
		return err
	}
	if id != "" {
		known, err := s.known(c.Verb(), id, compared)
		if err != nil || known {
			return err
		}
	}
	switch {
	case s.Closing != nil:
		return s.Closing.Told()
	case s.Paused != nil:
		return Failf(Paused, "%s; send a signal to have it wait, or send it again later", s.Paused.told())
	}
	return s.roomFor(c, now)
}

func (s *State) roomFor(c Command, now time.Time) error {
	if extend, ok := c.(ExtendReservations); ok && !extend.Until.After(now) {
		return Invalidf("until: it has passed; places can only be held until a time to come")
	}
	add, ok := c.(AddInterests)
	if !ok {
		return nil
	}
	count := len(s.Interests) + len(add.Interests)
	if s.Start != nil {
		count += len(s.Start.Interests)
	}
	for _, waiting := range slices.Concat(s.Queue, s.Parked) {
		if waiting.Verb == VerbAddInterests {
			count += waiting.mutationsLeft()
		}
	}
	if count > MaxInterests {
		return Invalidf("interests: the opportunity would have %d; at most %d", count, MaxInterests)
	}
	return nil
}

// Refuse records a message that could not be accepted, so that the message never
// vanishes. The message becomes a failed request that needs attention, and Refuse
// returns the id of that request. The reason masks all content of the message,
// since the kind of content is not known.
func (s *State) Refuse(verb Verb, id string, reason *Error, now time.Time) string {
	if id == "" || s.Handled.find(id) != nil { // a Conflict must not overwrite the first one's outcome
		id = s.unnamed()
	}
	verb = Verb(clip(string(verb), MaxKeptLabel)) // a signal's name may be long
	s.ended(requestEnded{
		entry: Entry{Request: id, Verb: verb, Silent: true}, outcome: Outcome{RequestID: id, State: Failed, Error: reason.masked()}, at: now,
	})
	return id
}

// Lapse ends the requests to hold places until a time that has passed while the
// requests waited. If such a request were sent now, it would give the places back.
func (s *State) Lapse(now time.Time) {
	var lapsed []Entry
	s.Queue = slices.DeleteFunc(s.Queue, func(e Entry) bool {
		if !e.lapsed(now) {
			return false
		}
		lapsed = append(lapsed, e)
		return true
	})
	for _, e := range lapsed {
		why := "until: it passed while the request waited; nothing was sent"
		if e.Tried {
			why = "until: it passed while the request waited; it is unknown whether the places were held until then"
		}
		s.finish(e, Invalidf("%s", why), now)
	}
}

// Shed ends the newest waiting commands as failed, with the error Busy, until the
// rest fits into the input of the run that continues this one. It is the last
// resort before the server terminates a run whose history has grown too long.
func (s *State) Shed(now time.Time) {
	parked, _ := s.Parked.carried(0)
	_, keep := s.Queue.carried(MaxCarriedBytes - parked)
	shed := slices.Clone(s.Queue[keep:])
	s.Queue = s.Queue[:keep:keep]
	for _, e := range shed {
		s.finish(e, Failf(Busy, "too many messages waited; send it again when fewer do"), now)
	}
	s.ask(now)
}
