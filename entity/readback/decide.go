package readback

import (
	"slices"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Decide decides the changes of unknown status in a batch from a read of the record. Call Decide
// only when no change of unknown status can still be in flight. A change becomes done, not sent or
// rejected when the record proves this status.
//
// An added interest is an interest of the record that the run did not know before. The API makes
// the changes of one request in order, and may reject some of the changes. Each added interest must
// therefore match a requested interest, in the order of the request. If an added interest matches
// no requested interest, all unknown changes that add interests stay unknown. If an interest is
// missing although a later change took effect, the API rejected the interest. A requested interest
// stays unknown when an added interest may be either this interest or a different requested
// interest in the same item. For some tenants, Oppflow can read quantity and unit amount, which may
// distinguish two interests in the same item. Learners cannot be read back. When some added
// interests are ambiguous, a command becomes done only if all its interests are on the record
// without ambiguity.
//
// A transition counts as done when the record is in the target step. A transition counts as not
// sent when the record is still in the step that the run knew. When the target step is the step
// that the run knew, the transition counts as not sent. The API documents that a transition
// connects two different steps. The API rejects a repeated transition to the current step again.
//
// A second send of details or of an expiry does no harm. Therefore details or an expiry that the
// record does not show become not sent, although the API may have made these changes. Details stay
// unknown when a later change has set the same details. An expiry counts as done when the record
// shows this expiry, or when the API has set a later expiry instead. If the opportunity had no
// reserved places when the API handled the expiry, the request for the expiry fails.
//
// showsRejected returns false for a run that a worker of an earlier version began. In a run of an
// earlier version, added interests decide the changes only if the added interests match the first
// interests of the request. In a run of an earlier version, an expiry that a later expiry replaced
// counts as done. Decide calls showsRejected only when the results depend on the returned value.
func (k Known) Decide(batch []exchange.Change, answers []exchange.ChangeResult, record exchange.Snapshot, resolved map[exchange.UnresolvedName]opportunity.ID, showsRejected func() bool) []exchange.ChangeResult {
	decided := slices.Clone(answers)
	k.readBackInterests(batch, decided, record, resolved, showsRejected)
	for i, m := range slices.Backward(batch) { // a later change that the record shows proves that the API handled the earlier changes
		if decided[i].Status != exchange.StatusUnknown {
			continue
		}
		switch {
		case m.Progress != nil:
			decided[i] = k.readBackProgress(*m.Progress, record, resolved)
		case m.Update != nil && !isOverwritten(i, batch, decided):
			decided[i] = exchange.ChangeResult{Status: exchange.StatusNotSent}
		case m.ReservationChange != nil && k.isExpirySuperseded(i, batch, answers, decided, record) && k.hadNoPlaces(i, batch, decided) && showsRejected():
			decided[i] = exchange.ChangeResult{Status: exchange.StatusDone, Reservation: &opportunity.Reservation{}}
		case m.ReservationChange != nil && k.isExpirySuperseded(i, batch, answers, decided, record):
			decided[i] = exchange.ChangeResult{Status: exchange.StatusDone, Reservation: &opportunity.Reservation{Valid: true, Until: m.ReservationChange.Until}}
		case m.ReservationChange != nil && !m.IsRequested() && isExpiryVisible(batch[:i], record):
			decided[i] = exchange.ChangeResult{Status: exchange.StatusNotSent} // the record would show this expiry
		case m.ReservationChange != nil:
			decided[i] = readBackReservation(*m.ReservationChange, record)
		}
	}
	for i, m := range batch {
		if m.Interest != nil && answers[i].Status == exchange.StatusUnknown && decided[i].Status == exchange.StatusNotSent && isLaterChangeApplied(i, batch, answers, decided) {
			decided[i] = exchange.ChangeResult{Status: exchange.StatusRejected, Error: opportunity.Failf(opportunity.Rejected, "the API did not add the interest, although the API made a later change; the reason is unknown, because the response was lost")}
		}
	}
	return decided
}

// Details or an expiry that the record shows do not prove that the API handled a change.
func isLaterChangeApplied(i int, batch []exchange.Change, answers, decided []exchange.ChangeResult) bool {
	for j := i + 1; j < len(batch); j++ {
		shows := batch[j].Interest != nil || batch[j].Progress != nil
		if answers[j].Status != exchange.StatusUnknown || shows && decided[j].Status == exchange.StatusDone {
			return true
		}
	}
	return false
}

func (k Known) readBackInterests(batch []exchange.Change, decided []exchange.ChangeResult, record exchange.Snapshot, resolved map[exchange.UnresolvedName]opportunity.ID, showsRejected func() bool) {
	known := make(map[opportunity.ID]bool, len(k.InterestIDs))
	//workflowcheck:ignore the code copies a map into a map, so the order has no effect
	for id := range k.InterestIDs {
		known[id] = true
	}
	var doubtful []int
	for i, m := range batch {
		switch {
		case m.Interest == nil:
		case decided[i].Status == exchange.StatusUnknown:
			doubtful = append(doubtful, i)
		case decided[i].Status == exchange.StatusDone && len(decided[i].Interests) > 0:
			known[decided[i].Interests[0].ID] = true
		}
	}
	var fresh []exchange.InterestRef
	for _, ref := range record.Interests {
		if !known[ref.ID] {
			fresh = append(fresh, ref)
		}
	}
	asked := make([]ExpectedInterest, len(doubtful))
	for n, i := range doubtful {
		asked[n] = ExpectedInterestOf(batch[i], resolved)
	}
	shown, unique := matchInOrder(fresh, asked)
	if shown == nil || !IsUniquePrefix(fresh, asked) && !showsRejected() {
		return
	}
	ambiguous := make(map[string]bool) // by request
	for n, i := range doubtful {
		if shown[n] == nil && !unique {
			ambiguous[batch[i].Request] = true
		}
	}
	for n, i := range doubtful {
		switch {
		case ambiguous[batch[i].Request]:
		case shown[n] != nil:
			decided[i] = exchange.ChangeResult{Status: exchange.StatusDone, Interests: []exchange.InterestRef{*shown[n]}}
		default:
			decided[i] = exchange.ChangeResult{Status: exchange.StatusNotSent}
		}
	}
}

func (k Known) readBackProgress(asked opportunity.Progress, record exchange.Snapshot, resolved map[exchange.UnresolvedName]opportunity.ID) exchange.ChangeResult {
	switch record.Step.ID {
	case k.StepID:
		return exchange.ChangeResult{Status: exchange.StatusNotSent}
	case stepID(asked, resolved):
		return exchange.ChangeResult{Status: exchange.StatusDone, Step: &record.Step}
	}
	return exchange.ChangeResult{Status: exchange.StatusUnknown}
}

// isOverwritten reports whether an update of the batch after the update at i was made and set one
// of the same details. A second send of the earlier update would undo the later update.
func isOverwritten(i int, batch []exchange.Change, answers []exchange.ChangeResult) bool {
	update := batch[i].Update
	for n := i + 1; n < len(batch); n++ {
		later := batch[n].Update
		if later == nil || answers[n].Status != exchange.StatusDone {
			continue
		}
		if update.Name != "" && later.Name != "" || update.Account != "" && later.Account != "" || update.Currency != "" && later.Currency != "" {
			return true
		}
	}
	return false
}

// isExpirySuperseded reports whether a later change of the batch has set the present expiry of the
// places. A second send of the expiry at i would undo the later expiry. When a batch reserves new
// places, Oppflow itself adds an expiry that no caller requested. The added expiry counts only if
// the added expiry is not earlier than the requested expiry. In addition, the API must have
// confirmed the added expiry, or the read must show a changed reservation.
func (k Known) isExpirySuperseded(i int, batch []exchange.Change, answers, decided []exchange.ChangeResult, record exchange.Snapshot) bool {
	asked := batch[i].ReservationChange.Until
	changed := record.Reservation.Valid != k.Reservation.Valid || !record.Reservation.Until.Equal(k.Reservation.Until)
	for n := i + 1; n < len(batch) && !asked.IsZero(); n++ {
		held := decided[n].Reservation
		if batch[n].ReservationChange == nil || decided[n].Status != exchange.StatusDone || held == nil || !held.Valid {
			continue
		}
		if batch[n].IsRequested() || !held.Until.Before(asked) && (changed || answers[n].Status == exchange.StatusDone) {
			return true
		}
	}
	return false
}

// hadNoPlaces reports whether the opportunity had no reserved places when the API handled the
// change at i.
func (k Known) hadNoPlaces(i int, batch []exchange.Change, decided []exchange.ChangeResult) bool {
	if k.Reservation.Valid || k.ExpiryPending {
		return false
	}
	for n, m := range batch[:i] {
		if made := decided[n].Status; m.Interest != nil && m.Interest.Reserve && made != exchange.StatusRejected && made != exchange.StatusNotSent {
			return false
		}
	}
	return true
}

func isExpiryVisible(batch []exchange.Change, record exchange.Snapshot) bool {
	return slices.ContainsFunc(batch, func(m exchange.Change) bool {
		return m.ReservationChange != nil && m.IsRequested() && m.ReservationChange.ExpiryError(&record.Reservation) == nil
	})
}

func readBackReservation(asked exchange.ReservationChange, record exchange.Snapshot) exchange.ChangeResult {
	held := record.Reservation
	done := held.Valid && !held.Until.IsZero() && !held.Until.Before(asked.NotBefore)
	switch {
	case asked.Release:
		done = !held.Valid
	case !asked.Until.IsZero():
		done = asked.ExpiryError(&held) == nil
	}
	if done {
		return exchange.ChangeResult{Status: exchange.StatusDone, Reservation: &held}
	}
	return exchange.ChangeResult{Status: exchange.StatusNotSent}
}
