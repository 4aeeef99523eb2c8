package opportunity

import (
	"slices"
	"time"
)

// VerbSnooze puts a planned follow-up off.
const VerbSnooze Verb = "snooze"

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

// Verb implements Instruction.
func (Snooze) Verb() Verb { return VerbSnooze }

// ID implements Instruction.
func (z Snooze) ID() string { return z.RequestID }

// WithID implements Instruction. It puts the time in UTC, so that the same moment is the same instruction in every
// zone.
func (z Snooze) WithID(id string) Instruction {
	z.RequestID, z.Until = id, z.Until.UTC()
	return z
}

// Validate implements Instruction. Applies checks whether Until is in the future, since only Applies knows the
// time.
func (z Snooze) Validate() error {
	if err := validHeading(z.RequestID, z.Source); err != nil {
		return err
	}
	if err := validText("followUp", z.FollowUp); err != nil {
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
	return validText("reason", z.Reason)
}

// snooze puts the follow-up off; a follow-up that was put off before gets another time, and a new plan follows, so
// that the run wakes at the right time.
func (s *State) snooze(z Snooze, now time.Time) {
	s.Snoozed = slices.DeleteFunc(s.Snoozed, func(o SnoozedFollowUp) bool { return o.Key == z.FollowUp })
	s.Snoozed = append(s.Snoozed, SnoozedFollowUp{Key: z.FollowUp, Until: z.Until.UTC(), Reason: z.Reason})
	s.note(now, "a follow-up was put off by an operator until "+z.Until.UTC().Format(time.RFC3339)+": "+z.FollowUp)
	s.replan()
}
