package opportunity

import (
	"fmt"
	"slices"
	"time"
)

// ShouldRefresh reports whether the record must be read again.
func (s *State) ShouldRefresh() bool { return s.ID != "" && s.RefreshDue }

// ApplyRefresh stores the record as read from the TMS, when nothing is under way. Interests that are gone there are
// forgotten, new interests are shown from now on.
func (s *State) ApplyRefresh(record Snapshot, now time.Time) {
	s.RefreshDue = false
	changed := s.ApplySnapshot(record, now)
	s.requestPlan() // for the step that the record is in
	if !changed {
		s.appendTimeline(now, "read again from the TMS")
	}
}

// ApplySnapshot stores the record like Refreshed. It notes changes in the TMS, and reports whether there were any.
func (s *State) ApplySnapshot(record Snapshot, now time.Time) bool {
	moved := record.Step.ID != s.Step.ID
	if moved {
		s.appendTimeline(now, "found in step "+record.Step.Name)
		s.LastActivity = now
	}
	region := s.Details.Region
	s.Details = record.Details
	if s.Details.Region == (Ref{}) { // the API need not return it with the record
		s.Details.Region = region
	}
	s.setStep(record.Step, now)
	if moved && s.Playbook.FollowUpSteps != "" { // workers that named no steps planned in every step
		s.requestPlan()
	}
	if held := s.Reservation; held.Valid && !record.Reservation.Valid && !held.Until.After(now) {
		s.ReservationExpired = s.Playbook.shouldPoll()
		s.appendTimeline(now, "the places that were held have lapsed")
	}
	s.Reservation = record.Reservation
	if s.Reservation.Valid {
		s.ClearAttention(AttentionReservation)
	}
	gone := len(s.Interests) + len(s.Unattributed)
	s.Interests = slices.DeleteFunc(s.Interests, func(held RecordedInterest) bool { return !record.hasInterest(held.ID) })
	s.Attendees = slices.DeleteFunc(s.Attendees, func(a Attendee) bool { return !record.hasInterest(a.Interest) })
	s.Unattributed = slices.DeleteFunc(s.Unattributed, func(id ID) bool { return !record.hasInterest(id) })
	s.InterestsAfterBackup = slices.DeleteFunc(s.InterestsAfterBackup, func(ref InterestRef) bool { return !record.hasInterest(ref.ID) })
	gone -= len(s.Interests) + len(s.Unattributed)
	found := s.addUnknownInterests(record)
	switch {
	case gone > 0 && found > 0:
		s.appendTimeline(now, fmt.Sprintf("read again: %d interests are new, %d are gone", found, gone))
	case gone > 0:
		s.appendTimeline(now, fmt.Sprintf("read again: %d interests are gone", gone))
	case found > 0:
		s.appendTimeline(now, fmt.Sprintf("read again: %d interests are new", found))
	}
	if gone+found > 0 {
		s.LastActivity = now
	}
	return moved || gone+found > 0
}

// ApplyRefreshFailure notes that the record could not be read for the given reason.
func (s *State) ApplyRefreshFailure(reason string, now time.Time) {
	s.RefreshDue = false
	s.appendTimeline(now, "could not be read again: "+reason)
}
