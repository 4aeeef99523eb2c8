package opportunity

import (
	"time"
)

// MessageSnooze puts a planned follow-up off.
const MessageSnooze MessageName = "snooze"

// Snooze puts a planned follow-up off until a time, and its repetitions with it.
type Snooze struct {
	RequestID string `json:"requestId,omitempty"`
	// Source names the sender, for fair turns of requests: at most 64 bytes, no personal data.
	Source string `json:"source,omitempty"`
	// FollowUp is the key of the follow-up, as the view shows it.
	FollowUp string `json:"followUp"`
	// Until must lie in the future.
	Until  time.Time `json:"until"`
	Reason string    `json:"reason,omitempty"`
}

// MessageName implements OperatorCommand.
func (Snooze) MessageName() MessageName { return MessageSnooze }

// GetRequestID implements OperatorCommand.
func (z Snooze) GetRequestID() string { return z.RequestID }

// WithRequestID implements OperatorCommand. It puts the time in UTC, so that the same moment is the same instruction in every
// zone.
func (z Snooze) WithRequestID(id string) OperatorCommand {
	z.RequestID, z.Until = id, z.Until.UTC()
	return z
}

// Validate implements OperatorCommand. CheckOperatorCommand checks whether Until is in the future, since only CheckOperatorCommand knows the
// time.
func (z Snooze) Validate() error {
	if err := validateHeader(z.RequestID, z.Source); err != nil {
		return err
	}
	if err := validateText("followUp", z.FollowUp); err != nil {
		return err
	}
	if z.Until.IsZero() {
		return Invalidf("until: missing; give the time before which it is not to be done, such as 2026-12-31T17:00:00Z")
	}
	if year := z.Until.UTC().Year(); year < 1 || year > 9999 {
		return Invalidf("until: the year must have four digits")
	}
	if z.Reason == "" {
		return nil
	}
	return validateText("reason", z.Reason)
}
