package entity

import (
	"time"

	"github.com/oppflow/oppflow/entity/readback"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func (s *RecordState) knownRecord() readback.Known {
	return readback.Known{InterestIDs: s.knownInterestIDs(), StepID: s.Step.ID, Reservation: s.Reservation, ExpiryPending: s.ExpiryPending}
}

// ReadBack decides the changes of unknown status in a batch from a read of the record, see
// [readback.Known.Decide]. ReadBack sets MaybeApplied for each command with a change that may have
// been made and that is sent again.
func (s *State) ReadBack(batch []exchange.Change, answers []exchange.ChangeResult, record exchange.Snapshot, resolved map[exchange.UnresolvedName]opportunity.ID, showsRejected func() bool) []exchange.ChangeResult {
	decided := s.knownRecord().Decide(batch, answers, record, resolved, showsRejected)
	for i, m := range batch {
		if answers[i].Status == exchange.StatusUnknown && decided[i].Status == exchange.StatusNotSent {
			s.setMaybeApplied(m)
		}
	}
	return decided
}

func (s *Inbox) setMaybeApplied(m exchange.Change) {
	for i := range s.Queue {
		if s.Queue[i].Request == m.Request && m.IsRequested() && readback.CanRepeat(m) {
			s.Queue[i].MaybeApplied = true
		}
	}
}

// Backlog returns every waiting change, including the changes of commands in doubt.
func (s *Inbox) Backlog() readback.Backlog {
	var b readback.Backlog
	for _, e := range s.Queue {
		for _, m := range e.RemainingChanges() {
			b.Add(m, readback.Arrival{FromUpdate: e.FromUpdate, Accepted: e.Accepted})
		}
	}
	return b
}

// ReadBackAfterReset decides all changes that wait after a reset, see
// [readback.Known.DecideAfterReset].
func (s *RecordState) ReadBackAfterReset(b readback.Backlog, from opportunity.ID, record exchange.Snapshot, resolved map[exchange.UnresolvedName]opportunity.ID, isTransitive func() bool) []exchange.ChangeResult {
	return s.knownRecord().DecideAfterReset(b, from, record, resolved, isTransitive)
}

// ApplyReadBackAfterReset stores the results of ReadBackAfterReset and the record that was read.
// After ApplyReadBackAfterReset, the view also shows interests that no known request added, but
// these interests never count as the effect of a request.
func (s *State) ApplyReadBackAfterReset(b readback.Backlog, answers []exchange.ChangeResult, record exchange.Snapshot, placesPerEvent func() bool, now time.Time) {
	s.appendTimeline(now, "the run was reset: the waiting requests were compared with the record")
	sole := soleReservation(record)
	s.applyResults(b.Changes, answers, sole == nil, sole, placesPerEvent, now) // the run before the reset may have reserved other places
	for i, m := range b.Changes {
		if answers[i].Status == exchange.StatusNotSent {
			s.setMaybeApplied(m) // the run before the reset may have made the change, and another change may have overwritten it
		}
		if m.Interest != nil && m.Interest.Reserve && answers[i].Status == exchange.StatusDone && !record.Reservation.Valid {
			s.ExpiryPending = true // the expiry of the interest may not have been sent
		}
	}
	s.ApplyRefresh(record, now)
}
