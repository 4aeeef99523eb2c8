package entity

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Execute executes the operator command. The parameter id is the request id of the command, or ""
// for a message without a request id. A repeated command with the same id is not executed again.
// The same id with another payload returns the error Conflict. When Execute returns an error, the
// state is unchanged.
func (s *State) Execute(i opportunity.OperatorCommand, id string, now time.Time) (opportunity.Outcome, error) {
	payload, known, err := s.checkRepeat(i, id)
	if err != nil {
		return opportunity.Outcome{}, err
	}
	if known {
		return s.Outcome(id)
	}
	if err := s.checkOperatorCommand(i, now); err != nil {
		return opportunity.Outcome{}, err
	}
	if id == "" {
		id = s.newRequestID()
	} else {
		s.DedupWindow.Add(id, payload)
	}
	switch i := i.(type) {
	case opportunity.Pause:
		s.pause(i, now)
	case opportunity.Resume:
		s.resume(now)
	case opportunity.Retry:
		s.retry(i, now)
	case opportunity.Confirm:
		s.confirm(i, now)
	case opportunity.Skip:
		s.skip(i, now)
	case opportunity.Acknowledge:
		s.acknowledge(i, now)
	case opportunity.Refresh:
		s.refresh(i, now)
	case opportunity.Snooze:
		s.snooze(i, now)
	case opportunity.CancelFollowUp:
		s.cancelFollowUp(i, now)
	case opportunity.Close:
		s.startClosing(i, now)
	default:
		return opportunity.Outcome{}, opportunity.Invalidf("this worker does not support the message %s", i.MessageName())
	}
	outcome := opportunity.Outcome{RequestID: id, State: opportunity.Done}
	s.storeOutcome(i.MessageName(), outcome, now)
	return outcome, nil
}

// CheckOperatorCommand returns the error that Execute would return for the operator command.
func (s *State) CheckOperatorCommand(i opportunity.OperatorCommand, id string, now time.Time) error {
	_, known, err := s.checkRepeat(i, id)
	if err != nil || known {
		return err
	}
	return s.checkOperatorCommand(i, now)
}

func (s *State) checkOperatorCommand(i opportunity.OperatorCommand, now time.Time) error {
	switch i := i.(type) {
	case opportunity.Retry:
		return s.checkInDoubt(i.Request)
	case opportunity.Confirm:
		return s.checkConfirm(i)
	case opportunity.Skip:
		if s.isNotice(i.Request) {
			return nil
		}
		return s.checkInDoubt(i.Request)
	case opportunity.Acknowledge:
		return s.checkAcknowledge(i)
	case opportunity.Snooze:
		return s.checkSnooze(i, now)
	case opportunity.CancelFollowUp:
		return s.checkCancel(i.FollowUp)
	}
	return nil
}
