package opportunity

import "time"

// VerbCancelFollowUp cancels a planned follow-up.
const VerbCancelFollowUp Verb = "cancelFollowUp"

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

// Verb implements Instruction.
func (CancelFollowUp) Verb() Verb { return VerbCancelFollowUp }

// ID implements Instruction.
func (c CancelFollowUp) ID() string { return c.RequestID }

// WithID implements Instruction.
func (c CancelFollowUp) WithID(id string) Instruction { c.RequestID = id; return c }

// Validate implements Instruction.
func (c CancelFollowUp) Validate() error {
	if err := validHeading(c.RequestID, c.Source); err != nil {
		return err
	}
	if err := validText("followUp", c.FollowUp); err != nil {
		return err
	}
	return validText("reason", c.Reason)
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
	s.note(now, "a follow-up was cancelled by an operator: "+c.FollowUp)
	s.enter(Job{Effect: effect}, EffectSkipped, c.Reason, now)
	s.replan()
}
