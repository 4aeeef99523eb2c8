package opportunity

import "time"

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
