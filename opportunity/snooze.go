package opportunity

import (
	"slices"
	"time"
)

// VerbSnooze puts a planned follow-up off.
const VerbSnooze Verb = "snooze"

// Snooze asks for a planned follow-up not to be done before a time. What repeats it
// waits with it.
type Snooze struct {
	RequestID string `json:"requestId,omitempty"`
	// Source is who sends it, the key by which requests get their turns fairly: at most 64 bytes, no personal data.
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

// WithID implements Instruction. The time is in UTC: the same moment is the same
// instruction, in whichever zone it was written.
func (z Snooze) WithID(id string) Instruction {
	z.RequestID, z.Until = id, z.Until.UTC()
	return z
}

// Validate implements Instruction. Whether Until is still to come is for Applies to
// say, which knows the time.
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

// snooze puts the follow-up off; one that was put off before gets another time. What
// is planned is looked at again, so that the run wakes at the right time.
func (s *State) snooze(z Snooze, now time.Time) {
	s.Snoozed = slices.DeleteFunc(s.Snoozed, func(o SnoozedFollowUp) bool { return o.Key == z.FollowUp })
	s.Snoozed = append(s.Snoozed, SnoozedFollowUp{Key: z.FollowUp, Until: z.Until.UTC(), Reason: z.Reason})
	s.note(now, "a follow-up was put off by an operator until "+z.Until.UTC().Format(time.RFC3339)+": "+z.FollowUp)
	s.replan()
}
