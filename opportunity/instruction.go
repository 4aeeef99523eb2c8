package opportunity

import "time"

// Instruction is a message of an operator, carried out and answered at once, also
// while commands wait.
type Instruction interface {
	Message
	// WithID returns the same instruction under another request id.
	WithID(id string) Instruction
}

// IsInstruction reports whether the verb names an instruction.
func IsInstruction(verb Verb) bool {
	switch verb {
	case VerbPause, VerbResume, VerbRetry, VerbConfirm, VerbSkip, VerbRefresh, VerbSnooze, VerbCancelFollowUp, VerbClose:
		return true
	}
	return false
}

// DecodeInstruction reads the payload of the instruction called verb, as
// strictly as Decode.
func DecodeInstruction(verb Verb, payload []byte) (Instruction, error) {
	return decodeInstruction(verb, payload, strictly)
}

// reading says how strictly a payload is read.
type reading bool

const (
	strictly reading = false
	loosely  reading = true
)

func decodeInstruction(verb Verb, payload []byte, how reading) (Instruction, error) {
	switch verb {
	case VerbPause:
		return readInstruction[Pause](payload, how)
	case VerbResume:
		return readInstruction[Resume](payload, how)
	case VerbRetry:
		return readInstruction[Retry](payload, how)
	case VerbConfirm:
		return readInstruction[Confirm](payload, how)
	case VerbSkip:
		return readInstruction[Skip](payload, how)
	case VerbRefresh:
		return readInstruction[Refresh](payload, how)
	case VerbSnooze:
		return readInstruction[Snooze](payload, how)
	case VerbCancelFollowUp:
		return readInstruction[CancelFollowUp](payload, how)
	case VerbClose:
		return readInstruction[Close](payload, how)
	}
	return nil, Invalidf("there is no message called %s; known are %s", masked(verb), knownVerbs())
}

func readInstruction[I Instruction](payload []byte, how reading) (Instruction, error) {
	var i I
	var err error
	if how == loosely {
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

// Instruct carries the instruction out. id is its request id, or "" for a message
// without an id. The same id is carried out once; with another payload it is a
// Conflict. The error says why the instruction does not apply; nothing has then
// changed.
func (s *State) Instruct(i Instruction, id string, now time.Time) (Outcome, error) {
	payload, known, err := s.seen(i, id)
	if err != nil {
		return Outcome{}, err
	}
	if known {
		return s.Outcome(id)
	}
	if err := s.applies(i, now); err != nil {
		return Outcome{}, err
	}
	if id == "" {
		id = s.unnamed()
	} else {
		s.Handled.add(id, payload)
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
	s.keep(i.Verb(), outcome, now)
	return outcome, nil
}

// Applies reports why Instruct would refuse, without changing anything.
func (s *State) Applies(i Instruction, id string, now time.Time) error {
	_, known, err := s.seen(i, id)
	if err != nil || known {
		return err
	}
	return s.applies(i, now)
}

func (s *State) applies(i Instruction, now time.Time) error {
	switch i := i.(type) {
	case Retry:
		return s.doubts(i.Request)
	case Confirm:
		return s.mayConfirm(i)
	case Skip:
		if s.told(i.Request) {
			return nil
		}
		return s.doubts(i.Request)
	case Snooze:
		return s.maySnooze(i, now)
	case CancelFollowUp:
		return s.mayCancel(i.FollowUp)
	}
	return nil
}
