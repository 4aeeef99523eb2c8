package readback

import (
	"maps"
	"slices"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Decide decides the changes of unknown status in a batch from a read of the record. Call
// Decide only when none of these changes can be in flight any more. A change becomes done, not
// sent or rejected when the record proves this status. If the record does not prove the status of a
// change, the change stays unknown.
//
// Added interests are the interests of the record that were not known before. The API makes the
// changes of one request in order, and may reject some of them. So each added interest must match a
// requested interest, in the order of the request. If the record has any other added interest, the
// changes that add interests stay unknown. When an interest is missing although a later change took
// effect, the API rejected the interest, and the reason was lost. An interest that the API rejected
// is not sent again. A requested interest stays unknown when an added interest may be this interest
// or a different requested interest in the same item. Quantity and unit amount, which some tenants
// let Oppflow read, may distinguish two interests in the same item. Learners cannot be read back.
// When some added interests are ambiguous, only commands whose interests are all on the record
// without ambiguity become done.
//
// A transition counts as done when the record is in the target step, and as not sent when the
// record is still in its known step. When the target is the known step, the transition counts as
// not sent, because a transition connects two steps (documented). When such a progress is sent
// again, the API rejects it again.
//
// To set details or an expiry again does no harm, so these changes become not sent when the record
// does not show them, although they may have been made. Details stay unknown when a later change
// set the same details again. An expiry counts as done when the record shows it, or when a later expiry
// that overwrote it was set. When a later expiry overwrote the first expiry, it is unknown whether
// the first expiry was ever set, and nothing depends on this. If the opportunity had no reserved
// places at the time of the first expiry, the API had nothing to extend, and the request fails.
//
// resolved maps names of items to their ids.
//
// If a worker of an earlier version began the run, the read does not show which changes of a lost
// request the API rejected: added interests decide only if they match the first interests of the
// request, and a superseded expiry counts as done. For such a run, showsRejected returns false.
// Decide calls showsRejected only when its result depends on showsRejected.
func (k Known) Decide(batch []exchange.Change, answers []exchange.ChangeResult, record exchange.Snapshot, resolved map[exchange.UnresolvedName]opportunity.ID, showsRejected func() bool) []exchange.ChangeResult {
	decided := slices.Clone(answers)
	k.readBackInterests(batch, decided, record, resolved, showsRejected)
	for i, m := range slices.Backward(batch) { // a later change that the record shows proves something about the earlier ones
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

// isLaterChangeApplied reports whether the API handled a later change of the batch, and so had
// handled the change at i before. Details or an expiry that the record shows do not prove this.
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
	maps.Copy(known, k.InterestIDs)
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

// isOverwritten reports whether a later update of the batch, which the API made, set a detail of
// the update at i. To send the earlier update again would undo the later update.
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

// isExpirySuperseded reports whether a later expiry of the batch, which the API set, is now the
// expiry of the places. To send the requested expiry at i again would undo the later expiry. An
// expiry that no caller requested is sent with new places. The expiry of new places counts only
// when it is no earlier than the requested expiry. In addition, the API must have confirmed the
// expiry of the new places, or the reservation must have changed.
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
// change at i: none were known before the batch, and no earlier change of the batch reserved any.
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

// isExpiryVisible reports whether the places are reserved as one of these changes requested.
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
