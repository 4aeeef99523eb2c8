package entity

import (
	"encoding/json"
	"slices"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// ReadBack decides the changes of unknown status in a batch from a read of the record. Call
// ReadBack only when none of these changes can be in flight any more. A change becomes done, not
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
// To set details or an expiry again does no harm, so these changes are not in doubt. ReadBack only
// sets MaybeApplied for the commands of these changes. Details are in doubt when a later change set
// the same details again. An expiry counts as done when the record shows it, or when a later expiry
// that overwrote it was set. When a later expiry overwrote the first expiry, it is unknown whether
// the first expiry was ever set, and nothing depends on this. If the opportunity had no reserved
// places at the time of the first expiry, the API had nothing to extend, and the request fails.
//
// resolved maps names of items to their ids.
func (s *State) ReadBack(batch []exchange.Change, answers []exchange.ChangeResult, record exchange.Snapshot, resolved map[exchange.UnresolvedName]opportunity.ID) []exchange.ChangeResult {
	return s.ReadBackSince(batch, answers, record, resolved, func() bool { return true })
}

// ReadBackSince is ReadBack for a run that a worker of an earlier version may have begun. If an
// earlier version began the run, the read does not show which changes of a lost request the API
// rejected: added interests decide only if they match the first interests of the request, and a
// superseded expiry counts as done. For a run that an earlier version began, showsRejected returns
// false. ReadBackSince calls showsRejected only when its result depends on showsRejected.
func (s *State) ReadBackSince(batch []exchange.Change, answers []exchange.ChangeResult, record exchange.Snapshot, resolved map[exchange.UnresolvedName]opportunity.ID, showsRejected func() bool) []exchange.ChangeResult {
	decided := slices.Clone(answers)
	s.readBackInterests(batch, decided, record, resolved, showsRejected)
	for i, m := range slices.Backward(batch) { // a later change that the record shows proves something about the earlier ones
		if decided[i].Status != exchange.StatusUnknown {
			continue
		}
		switch {
		case m.Progress != nil:
			decided[i] = s.readBackProgress(*m.Progress, record, resolved)
		case m.Update != nil && !isOverwritten(i, batch, decided):
			decided[i] = exchange.ChangeResult{Status: exchange.StatusNotSent}
			s.setMaybeApplied(m)
		case m.ReservationChange != nil && s.isExpirySuperseded(i, batch, answers, decided, record) && s.hadNoPlaces(i, batch, decided) && showsRejected():
			decided[i] = exchange.ChangeResult{Status: exchange.StatusDone, Reservation: &opportunity.Reservation{}}
		case m.ReservationChange != nil && s.isExpirySuperseded(i, batch, answers, decided, record):
			decided[i] = exchange.ChangeResult{Status: exchange.StatusDone, Reservation: &opportunity.Reservation{Valid: true, Until: m.ReservationChange.Until}}
		case m.ReservationChange != nil && !m.IsRequested() && isExpiryVisible(batch[:i], record):
			decided[i] = exchange.ChangeResult{Status: exchange.StatusNotSent} // the record would show this expiry
		case m.ReservationChange != nil:
			decided[i] = readBackReservation(*m.ReservationChange, record)
			s.setMaybeApplied(m)
		}
	}
	for i, m := range batch {
		if m.Interest != nil && answers[i].Status == exchange.StatusUnknown && decided[i].Status == exchange.StatusNotSent && isLaterChangeApplied(i, batch, answers, decided) {
			decided[i] = exchange.ChangeResult{Status: exchange.StatusRejected, Error: opportunity.Failf(opportunity.Rejected, "the API did not add the interest, although the API made a later change; the reason is unknown, because the response was lost")}
		}
	}
	return decided
}

// setMaybeApplied sets MaybeApplied on the command of a change that is sent again although the
// change may have been made.
func (s *Inbox) setMaybeApplied(m exchange.Change) {
	for i := range s.Queue {
		if s.Queue[i].Request == m.Request && m.IsRequested() {
			s.Queue[i].MaybeApplied = true
		}
	}
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

func (s *RecordState) readBackInterests(batch []exchange.Change, decided []exchange.ChangeResult, record exchange.Snapshot, resolved map[exchange.UnresolvedName]opportunity.ID, showsRejected func() bool) {
	known := s.knownInterestIDs()
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
	asked := make([]expectedInterest, len(doubtful))
	for n, i := range doubtful {
		asked[n] = expectedInterestOf(batch[i], resolved)
	}
	shown, unique := matchInOrder(fresh, asked)
	if shown == nil || !isUniquePrefix(fresh, asked) && !showsRejected() {
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

// matchInOrder returns, for each interest of asked, the interest of there that must be the asked
// interest, or nil when there is none. The interests of there are a part of the asked interests, in
// the order of asked. When an interest of there may be one of several asked interests, which are
// not equal in all facts, matchInOrder returns nil for these asked interests, and false.
// matchInOrder returns nil instead of the list when the interests of there cannot all be asked
// interests.
func matchInOrder(there []exchange.InterestRef, asked []expectedInterest) (shown []*exchange.InterestRef, unique bool) {
	first, last := make([]int, len(there)), make([]int, len(there)) // the first and the last asked one that each may be
	at := 0
	for n, ref := range there {
		for ; at < len(asked) && !asked[at].matches(ref); at++ {
		}
		if at == len(asked) {
			return nil, false
		}
		first[n] = at
		at++
	}
	at = len(asked) - 1
	for n, ref := range slices.Backward(there) {
		for ; !asked[at].matches(ref); at-- {
		}
		last[n] = at
		at--
	}
	shown, unique = make([]*exchange.InterestRef, len(asked)), true
	for n, ref := range there {
		different := func(other expectedInterest) bool {
			return other.matches(ref) && other.content != asked[first[n]].content
		}
		if slices.ContainsFunc(asked[first[n]:last[n]+1], different) {
			unique = false
			continue
		}
		shown[first[n]] = &there[n]
	}
	return shown, unique
}

// expectedInterest is a requested interest, reduced to the facts that distinguish it from
// others.
type expectedInterest struct {
	item       opportunity.ID // "" when it is not known
	quantity   int
	unitAmount opportunity.Amount
	content    string
}

func expectedInterestOf(m exchange.Change, resolved map[exchange.UnresolvedName]opportunity.ID) expectedInterest {
	w := expectedInterest{item: opportunity.ID(m.Interest.Item), quantity: m.Interest.Quantity, unitAmount: m.Interest.UnitAmount}
	if names := m.Names(); len(names) > 0 {
		w.item = resolved[names[0]]
	}
	if data, err := json.Marshal(m.Interest); err == nil { // plain data
		w.content = string(data)
	}
	return w
}

// matches reports whether the interest of the record may be the requested one, by all facts that
// were read.
func (w expectedInterest) matches(ref exchange.InterestRef) bool {
	return ref.Item != "" && ref.Item == w.item &&
		(ref.Quantity == 0 || ref.Quantity == w.quantity) &&
		(ref.UnitAmount == nil || ref.UnitAmount.Equal(w.unitAmount))
}

// isUniquePrefix reports whether the interests in there must be the first interests of asked. All
// facts that were read must match. No other assignment of there to asked may match, unless the
// exchanged interests are equal in all facts.
func isUniquePrefix(there []exchange.InterestRef, asked []expectedInterest) bool {
	if len(there) > len(asked) {
		return false
	}
	for n, ref := range there {
		if !asked[n].matches(ref) {
			return false
		}
	}
	// An interest in there may be any asked interest that it matches, at its own index or later.
	// The index must leave room for the interests after it. All these asked interests must be
	// equal.
	last := len(asked)
	for n := len(there) - 1; n >= 0; n-- {
		for last--; !asked[last].matches(there[n]); {
			last--
		}
		for _, other := range asked[n : last+1] {
			if other.matches(there[n]) && other.content != asked[n].content {
				return false
			}
		}
	}
	return true
}

func (s *RecordState) readBackProgress(asked opportunity.Progress, record exchange.Snapshot, resolved map[exchange.UnresolvedName]opportunity.ID) exchange.ChangeResult {
	switch record.Step.ID {
	case s.Step.ID:
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
func (s *RecordState) isExpirySuperseded(i int, batch []exchange.Change, answers, decided []exchange.ChangeResult, record exchange.Snapshot) bool {
	asked := batch[i].ReservationChange.Until
	changed := record.Reservation.Valid != s.Reservation.Valid || !record.Reservation.Until.Equal(s.Reservation.Until)
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
func (s *RecordState) hadNoPlaces(i int, batch []exchange.Change, decided []exchange.ChangeResult) bool {
	if s.Reservation.Valid || s.ExpiryPending {
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
