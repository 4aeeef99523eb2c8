package opportunity

import "time"

// MessageCancelFollowUp cancels a planned follow-up.
const MessageCancelFollowUp MessageName = "cancelFollowUp"

// CancelFollowUp cancels a planned follow-up for good.
type CancelFollowUp struct {
	RequestID string `json:"requestId,omitempty"`
	// Source names the sender, for fair turns of requests: at most 64 bytes, no personal data.
	Source string `json:"source,omitempty"`
	// FollowUp is the key of the follow-up, as the view shows it.
	FollowUp string `json:"followUp"`
	// Reason is shown with the result of the follow-up.
	Reason string `json:"reason"`
}

// MessageName implements OperatorCommand.
func (CancelFollowUp) MessageName() MessageName { return MessageCancelFollowUp }

// GetRequestID implements OperatorCommand.
func (c CancelFollowUp) GetRequestID() string { return c.RequestID }

// WithRequestID implements OperatorCommand.
func (c CancelFollowUp) WithRequestID(id string) OperatorCommand { c.RequestID = id; return c }

// Validate implements OperatorCommand.
func (c CancelFollowUp) Validate() error {
	if err := validateHeader(c.RequestID, c.Source); err != nil {
		return err
	}
	if err := validateText("followUp", c.FollowUp); err != nil {
		return err
	}
	return validateText("reason", c.Reason)
}

// cancelFollowUp keeps the follow-up from ever being done. Later follow-ups are planned again, since their times
// count from now when the cancelled one was late.
func (s *State) cancelFollowUp(c CancelFollowUp, now time.Time) {
	effect := Effect{Key: c.FollowUp}
	for _, f := range s.FollowUps {
		if f.Key == c.FollowUp {
			effect.Kind = EffectKind(f.Action.Kind)
		}
	}
	s.endFollowUp(DoneFollowUp{Key: c.FollowUp, At: now, Cancelled: true})
	s.appendTimeline(now, "a follow-up was cancelled by an operator: "+c.FollowUp)
	s.recordEffectResult(ActiveEffect{Effect: effect}, EffectSkipped, c.Reason, now)
	s.requestPlan()
}
