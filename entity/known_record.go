package entity

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// KnownRecord returns the record without its interests, if the state is equal to a record that the
// API returned at most exchange.MaxRecordAge ago. KnownRecord returns false if the record may have
// changed since the last response.
func (s *State) KnownRecord(now time.Time) (exchange.Snapshot, bool) {
	if s.RecordSeenAt.IsZero() || now.Sub(s.RecordSeenAt) > exchange.MaxRecordAge ||
		s.RefreshDue || s.AfterReset || s.StepUnconfirmed || s.ExpiryPending || s.ReservationExpired || s.ManualTransition != nil ||
		s.Reservation.Valid && !s.Reservation.Until.After(now) ||
		len(s.Unattributed)+len(s.InterestsAfterBackup) > 0 ||
		slices.ContainsFunc(s.Interests, func(held opportunity.RecordedInterest) bool { return held.Kind == "" }) ||
		slices.ContainsFunc(s.ActiveEffects, func(j ActiveEffect) bool { return j.Calling }) {
		return exchange.Snapshot{}, false
	}
	return exchange.Snapshot{ID: s.ID, Details: s.Details, Step: s.Step, Reservation: s.Reservation}, true
}

// ConfirmRecord compares the state with the whole record that the response to the last request
// contains. A difference means that somebody else changed the record, so the next plan reads the
// record. Call ConfirmRecord after the results of the request are stored. ConfirmRecord confirms
// nothing if record is nil or a change of the request was not made.
func (s *State) ConfirmRecord(record *exchange.Snapshot, answers []exchange.ChangeResult, now time.Time) {
	switch {
	case slices.ContainsFunc(answers, func(a exchange.ChangeResult) bool { return a.Status != exchange.StatusDone }):
		s.RecordSeenAt = time.Time{}
	case record == nil:
	case s.isEqualTo(*record):
		s.applyInterestValues(*record) // marks the values that the API does not return
		s.RecordSeenAt = now
	default:
		s.RecordSeenAt = time.Time{}
	}
}

// isEqualTo compares only data that the API returned. The API may omit the region of a record and
// the values of an interest.
func (s *RecordState) isEqualTo(record exchange.Snapshot) bool {
	return record.ID == s.ID && record.Step == s.Step && record.Details.Name == s.Details.Name && record.Details.Account == s.Details.Account &&
		record.Details.Currency == s.Details.Currency && record.Reservation.Valid == s.Reservation.Valid && record.Reservation.Until.Equal(s.Reservation.Until) &&
		len(record.Interests) == len(s.Interests) && !s.HasOtherInterests(record)
}

// HasOtherInterests reports whether the record shows other values for an interest of the state, or
// does not contain the interest. HasOtherInterests ignores interests that only the record has.
func (s *RecordState) HasOtherInterests(record exchange.Snapshot) bool {
	return slices.ContainsFunc(s.Interests, func(held opportunity.RecordedInterest) bool {
		at := slices.IndexFunc(record.Interests, func(ref exchange.InterestRef) bool { return ref.ID == held.ID })
		if at < 0 {
			return true
		}
		ref := record.Interests[at]
		return ref.Quantity != 0 && ref.Quantity != held.Quantity || ref.UnitAmount != nil && !ref.UnitAmount.Equal(held.UnitAmount)
	})
}
