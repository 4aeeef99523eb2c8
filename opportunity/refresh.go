package opportunity

import (
	"fmt"
	"slices"
	"time"
)

// VerbRefresh asks for another read of the record.
const VerbRefresh Verb = "refresh"

// Refresh asks for another read of the record from the TMS, where a person may have changed it by hand. It also
// ends a wait for the API early.
type Refresh struct {
	RequestID string `json:"requestId,omitempty"`
	// Source names the sender, for fair turns of requests: at most 64 bytes, no personal data.
	Source string `json:"source,omitempty"`
}

// Verb implements Instruction.
func (Refresh) Verb() Verb { return VerbRefresh }

// ID implements Instruction.
func (r Refresh) ID() string { return r.RequestID }

// WithID implements Instruction.
func (r Refresh) WithID(id string) Instruction { r.RequestID = id; return r }

// Validate implements Instruction.
func (r Refresh) Validate() error { return validHeading(r.RequestID, r.Source) }

// NeedsReading reports whether the record must be read again.
func (s *State) NeedsReading() bool { return s.ID != "" && s.RefreshDue }

// Refreshed stores the record as read from the TMS, when nothing is under way. Interests that are gone there are
// forgotten, new interests are shown from now on.
func (s *State) Refreshed(record Snapshot, now time.Time) {
	s.RefreshDue = false
	changed := s.Looked(record, now)
	s.replan() // for the step that the record is in
	if !changed {
		s.note(now, "read again from the TMS")
	}
}

// Looked stores the record like Refreshed. It notes changes in the TMS, and reports whether there were any.
func (s *State) Looked(record Snapshot, now time.Time) bool {
	moved := record.Step.ID != s.Step.ID
	if moved {
		s.note(now, "found in step "+record.Step.Name)
		s.LastActivity = now
	}
	region := s.Details.Region
	s.Details = record.Details
	if s.Details.Region == (Named{}) { // the API need not return it with the record
		s.Details.Region = region
	}
	s.stand(record.Step, now)
	if moved && s.Rules.At != "" { // workers that named no steps planned in every step
		s.replan()
	}
	if held := s.Reservation; held.Valid && !record.Reservation.Valid && !held.Until.After(now) {
		s.Lapsed = s.Rules.watches()
		s.note(now, "the places that were held have lapsed")
	}
	s.Reservation = record.Reservation
	if s.Reservation.Valid {
		s.Calm(AttentionReservation)
	}
	gone := len(s.Interests) + len(s.Foreign)
	s.Interests = slices.DeleteFunc(s.Interests, func(held Held) bool { return !record.has(held.ID) })
	s.Attendees = slices.DeleteFunc(s.Attendees, func(a Attendee) bool { return !record.has(a.Interest) })
	s.Foreign = slices.DeleteFunc(s.Foreign, func(id ID) bool { return !record.has(id) })
	s.Unclaimed = slices.DeleteFunc(s.Unclaimed, func(ref InterestRef) bool { return !record.has(ref.ID) })
	gone -= len(s.Interests) + len(s.Foreign)
	found := s.show(record)
	switch {
	case gone > 0 && found > 0:
		s.note(now, fmt.Sprintf("read again: %d interests are new, %d are gone", found, gone))
	case gone > 0:
		s.note(now, fmt.Sprintf("read again: %d interests are gone", gone))
	case found > 0:
		s.note(now, fmt.Sprintf("read again: %d interests are new", found))
	}
	if gone+found > 0 {
		s.LastActivity = now
	}
	return moved || gone+found > 0
}

// Unreadable notes that the record could not be read for the given reason.
func (s *State) Unreadable(reason string, now time.Time) {
	s.RefreshDue = false
	s.note(now, "could not be read again: "+reason)
}

// held returns what is known of an interest that somebody else made.
func (r InterestRef) held() Held {
	held := Held{ID: r.ID, Item: clip(string(r.Item), MaxHeldItem), Quantity: r.Quantity}
	held.Kind, _ = kindOfType(r.Item.Type())
	if r.UnitAmount != nil {
		held.UnitAmount = *r.UnitAmount
	}
	return held
}

func (r Snapshot) has(id ID) bool {
	return slices.ContainsFunc(r.Interests, func(ref InterestRef) bool { return ref.ID == id })
}
