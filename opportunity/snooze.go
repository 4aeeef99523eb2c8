package opportunity

import (
	"time"
)

// MessageSnooze is the name of the message that postpones a planned follow-up.
const MessageSnooze MessageName = "snooze"

// Snooze postpones a planned follow-up and its repetitions until a time.
type Snooze struct {
	RequestID string `json:"requestId,omitempty"`
	// Source is the name of the sender for fair scheduling; a source has at most 64 bytes and
	// contains no personal data.
	Source string `json:"source,omitempty"`
	// FollowUp is the key of the follow-up in the view.
	FollowUp string `json:"followUp" text:"required"`
	// Until must lie in the future.
	Until  time.Time `json:"until"`
	Reason string    `json:"reason,omitempty" text:"optional"`
}

// MessageName implements OperatorCommand.
func (Snooze) MessageName() MessageName { return MessageSnooze }

// GetRequestID implements OperatorCommand.
func (z Snooze) GetRequestID() string { return z.RequestID }

// WithRequestID implements OperatorCommand. The returned command has Until in UTC, so that the same
// moment gives the same operator command in every time zone.
func (z Snooze) WithRequestID(id string) OperatorCommand {
	z.RequestID, z.Until = id, z.Until.UTC()
	return z
}

// Validate implements OperatorCommand. Package entity checks whether Until is in the future,
// because Validate does not know the time.
func (z Snooze) Validate() error {
	if err := validateHeader(z.RequestID, z.Source); err != nil {
		return err
	}
	if err := validateText("followUp", z.FollowUp); err != nil {
		return err
	}
	if z.Until.IsZero() {
		return Invalidf("until: missing; give the time until which the follow-up is postponed, such as 2026-12-31T17:00:00Z")
	}
	if year := z.Until.UTC().Year(); year < 1 || year > 9999 {
		return Invalidf("until: the year must have four digits")
	}
	if z.Reason == "" {
		return nil
	}
	return validateText("reason", z.Reason)
}
