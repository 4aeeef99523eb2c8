package opportunity

import "time"

// OperatorCommand is a message of an operator, carried out and answered at once, also
// while commands wait.
type OperatorCommand interface {
	Message
	// WithRequestID returns the same instruction under another request id.
	WithRequestID(id string) OperatorCommand
}

// IsOperatorCommand reports whether the verb names an instruction.
func IsOperatorCommand(verb MessageName) bool {
	switch verb {
	case MessagePause, MessageResume, MessageRetry, MessageConfirm, MessageSkip, MessageRefresh, MessageSnooze, MessageCancelFollowUp, MessageClose:
		return true
	}
	return false
}

// DecodeOperatorCommand reads the payload of the instruction called verb, as
// strictly as Decode.
func DecodeOperatorCommand(verb MessageName, payload []byte) (OperatorCommand, error) {
	return decodeOperatorCommand(verb, payload, strictDecoding)
}

// decoding says how strictly a payload is read.
type decoding bool

const (
	strictDecoding decoding = false
	looseDecoding  decoding = true
)

func decodeOperatorCommand(verb MessageName, payload []byte, how decoding) (OperatorCommand, error) {
	switch verb {
	case MessagePause:
		return parseOperatorCommand[Pause](payload, how)
	case MessageResume:
		return parseOperatorCommand[Resume](payload, how)
	case MessageRetry:
		return parseOperatorCommand[Retry](payload, how)
	case MessageConfirm:
		return parseOperatorCommand[Confirm](payload, how)
	case MessageSkip:
		return parseOperatorCommand[Skip](payload, how)
	case MessageRefresh:
		return parseOperatorCommand[Refresh](payload, how)
	case MessageSnooze:
		return parseOperatorCommand[Snooze](payload, how)
	case MessageCancelFollowUp:
		return parseOperatorCommand[CancelFollowUp](payload, how)
	case MessageClose:
		return parseOperatorCommand[Close](payload, how)
	}
	return nil, Invalidf("there is no message called %s; known are %s", redactedName(verb), knownMessageNames())
}

func parseOperatorCommand[I OperatorCommand](payload []byte, how decoding) (OperatorCommand, error) {
	var i I
	var err error
	if how == looseDecoding {
		if err = decodeStrict(payload, &i); err == nil {
			err = i.Validate()
		}
	} else {
		i, err = DecodeStrict[I](payload)
	}
	if err != nil {
		return nil, err
	}
	return i, nil
}

// Execute carries the instruction out. id is its request id, or "" for a message
// without an id. The same id is carried out once; with another payload it is a
// Conflict. The error says why the instruction does not apply; nothing has then
// changed.
func (s *State) Execute(i OperatorCommand, id string, now time.Time) (Outcome, error) {
	payload, known, err := s.checkRepeat(i, id)
	if err != nil {
		return Outcome{}, err
	}
	if known {
		return s.Outcome(id)
	}
	if err := s.checkOperatorCommand(i, now); err != nil {
		return Outcome{}, err
	}
	if id == "" {
		id = s.newRequestID()
	} else {
		s.DedupWindow.add(id, payload)
	}
	switch i := i.(type) {
	case Pause:
		s.pause(i, now)
	case Resume:
		s.resume(now)
	case Retry:
		s.retry(i, now)
	case Confirm:
		s.confirm(i, now)
	case Skip:
		s.skip(i, now)
	case Refresh:
		s.RefreshDue = true
	case Snooze:
		s.snooze(i, now)
	case CancelFollowUp:
		s.cancelFollowUp(i, now)
	case Close:
		s.startClosing(i, now)
	}
	outcome := Outcome{RequestID: id, State: Done}
	s.storeOutcome(i.MessageName(), outcome, now)
	return outcome, nil
}

// CheckOperatorCommand reports why Instruct would refuse, without changing anything.
func (s *State) CheckOperatorCommand(i OperatorCommand, id string, now time.Time) error {
	_, known, err := s.checkRepeat(i, id)
	if err != nil || known {
		return err
	}
	return s.checkOperatorCommand(i, now)
}

func (s *State) checkOperatorCommand(i OperatorCommand, now time.Time) error {
	switch i := i.(type) {
	case Retry:
		return s.checkInDoubt(i.Request)
	case Confirm:
		return s.checkConfirm(i)
	case Skip:
		if s.isNotice(i.Request) {
			return nil
		}
		return s.checkInDoubt(i.Request)
	case Snooze:
		return s.checkSnooze(i, now)
	case CancelFollowUp:
		return s.checkCancel(i.FollowUp)
	}
	return nil
}
