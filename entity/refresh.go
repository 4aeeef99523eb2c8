package entity

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/entity/news"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// ShouldRefresh reports whether the record must be read again.
func (s *State) ShouldRefresh() bool { return s.ID != "" && s.RefreshDue }

// refresh makes a read of the record due. If the sender has seen the record in the known step later
// than the run has, refresh stores the time of the sender. refresh ignores a time in the future.
func (s *State) refresh(r opportunity.Refresh, now time.Time) {
	s.RefreshDue = true
	if r.StepSeenAt.After(s.StepSeenAt) && !r.StepSeenAt.After(now) && s.Step.ID != "" && !s.StepUnconfirmed {
		s.StepSeenAt = r.StepSeenAt
	}
}

// ApplyRefresh stores the record that was read from the TMS. Call ApplyRefresh only while no change
// is being sent. ApplyRefresh removes the interests that the record no longer has, and adds the new
// interests.
func (s *State) ApplyRefresh(record exchange.Snapshot, now time.Time) {
	s.RefreshDue = false
	changed := s.ApplySnapshot(record, now)
	s.requestPlan() // for the step that the record is in
	if !changed {
		s.appendTimeline(now, "the record was read again from the TMS")
	}
}

// ApplySnapshot stores the record like ApplyRefresh. ApplySnapshot adds the changes that people
// made in the TMS to the timeline, and reports whether there were any changes.
func (s *State) ApplySnapshot(record exchange.Snapshot, now time.Time) bool {
	s.RecordSeenAt = now
	edited := news.OfDetails(s.Details, record.Details, news.OfCurrency(s.Details.Currency, record.Details.Currency, len(s.Interests)+len(s.Unattributed)))
	if edited != "" {
		s.LastActivity = now
		s.appendTimeline(now, "the record was read again: "+edited)
	}
	moved := record.Step.ID != s.Step.ID
	if moved {
		s.appendTimeline(now, "the record was found in step "+record.Step.Name)
		s.LastActivity = now
	}
	region := s.Details.Region
	s.Details = record.Details
	if s.Details.Region == (opportunity.Ref{}) { // the API may omit the region
		s.Details.Region = region
	}
	s.setStep(record.Step, now)
	s.ClearAttention(opportunity.AttentionRecord)
	if moved && s.Playbook.FollowUpSteps != "" { // workers that do not set FollowUpSteps planned in every step
		s.requestPlan()
	}
	if held := s.Reservation; held.Valid && !record.Reservation.Valid && !held.Until.After(now) {
		s.ReservationExpired = s.Playbook.ShouldPoll()
		s.appendTimeline(now, "the reserved places have expired")
	}
	s.Reservation = record.Reservation
	if s.Reservation.Valid {
		s.clearReservationAttention()
	}
	removed := len(s.Interests) + len(s.Unattributed)
	s.Interests = slices.DeleteFunc(s.Interests, func(held opportunity.RecordedInterest) bool { return !record.HasInterest(held.ID) })
	s.Attendees = slices.DeleteFunc(s.Attendees, func(a exchange.Attendee) bool { return !record.HasInterest(a.Interest) })
	s.Unattributed = slices.DeleteFunc(s.Unattributed, func(id opportunity.ID) bool { return !record.HasInterest(id) })
	s.InterestsAfterBackup = slices.DeleteFunc(s.InterestsAfterBackup, func(ref exchange.InterestRef) bool { return !record.HasInterest(ref.ID) })
	removed -= len(s.Interests) + len(s.Unattributed)
	changed := s.applyInterestValues(record)
	found := s.addUnknownInterests(record)
	if soleReservation(record) != nil {
		s.confirmSolePlaces()
	}
	if removed+found+changed == 0 {
		return moved || edited != ""
	}
	s.LastActivity = now
	s.appendTimeline(now, "the record was read again: "+news.OfInterests(found, removed, changed))
	return true
}

// ApplyInterestValues stores the quantities and the unit amounts of the record, so that the effects
// of a transition follow what people changed in the TMS.
func (s *State) ApplyInterestValues(record exchange.Snapshot, now time.Time) {
	if changed := s.applyInterestValues(record); changed > 0 {
		s.LastActivity = now
		s.appendTimeline(now, "the record was read again: "+news.OfInterests(0, 0, changed))
	}
}

// ApplyRefreshFailure stores that the record could not be read, and the given reason.
func (s *State) ApplyRefreshFailure(reason string, now time.Time) {
	s.RefreshDue = false
	s.appendTimeline(now, "the record could not be read again: "+reason)
}

// RaiseRecordAttention raises attention, because the record cannot be read.
func (s *State) RaiseRecordAttention(text string, now time.Time) {
	s.RaiseAttention(opportunity.AttentionRecord, "", text, now)
}
