package entity

import (
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// NextBatch returns the changes that are sent together in the next API request. NextBatch takes
// changes from the front of the queue, in order, up to MaxChangesPerRequest changes and
// MaxRequestBytes bytes. A batch ends after a transition, because later changes may depend on the
// transition. A change that reserves places and the change that sets the expiry of these places are
// in the same batch. When an opportunity is lost or archived and its queue is empty, the batch
// contains the release of its places.
func (s *State) NextBatch() []exchange.Change {
	if !s.canProceed() {
		return nil
	}
	if s.isReleaseDue() {
		return s.ReleaseBatch()
	}
	var batch []exchange.Change
	bytes := 0
	reserving := s.ExpiryPending
	notBefore := s.Reservation.Until
	add := func(m exchange.Change) bool {
		wants := m.Interest != nil && m.Interest.Reserve
		room := opportunity.MaxChangesPerRequest
		if reserving || wants {
			room-- // the expiry is sent too
		}
		size := m.Size()
		if len(batch) > 0 && (len(batch) >= room || bytes+size > opportunity.MaxRequestBytes) {
			return false
		}
		batch = append(batch, m)
		bytes += size
		reserving = reserving || wants
		if m.ReservationChange != nil { // the requested expiry also counts for the places that were reserved before
			reserving, notBefore = false, m.ReservationChange.Until
		}
		return true
	}
	extendBefore := -1 // the index of a transition; the expiry must precede the transition
filling:
	for _, e := range s.Queue {
		if e.SendAlone && len(batch) > 0 {
			break
		}
		if e.MessageName == opportunity.MessageProgress && s.Playbook.Transitions && (len(batch) > 0 || s.isTransitionBlocked()) {
			break // the effects of a transition are planned when its command is the first of the queue
		}
		for _, m := range e.RemainingChanges() {
			if !add(m) {
				break filling
			}
			if m.Progress != nil {
				extendBefore = len(batch) - 1
				break filling
			}
			if e.SendAlone {
				break filling
			}
		}
	}
	if !reserving {
		return batch
	}
	extend := exchange.Change{Request: expiryRequestID(batch, s.Reference), ReservationChange: &exchange.ReservationChange{NotBefore: notBefore}}
	if extendBefore < 0 {
		return append(batch, extend)
	}
	return append(batch[:extendBefore:extendBefore], extend, batch[extendBefore])
}

func expiryRequestID(batch []exchange.Change, fallback opportunity.Reference) string {
	for _, m := range batch {
		if m.Interest != nil && m.Interest.Reserve {
			return m.Request
		}
	}
	return string(fallback)
}

// ReleaseBatch returns the one change that releases the opportunity's places. If no places are
// reserved, or the record has the reference tag of another reference, ReleaseBatch returns an empty
// batch.
func (s *State) ReleaseBatch() []exchange.Change {
	if s.ID == "" || s.TaggedByOther || !s.HasReservation() {
		return nil
	}
	return []exchange.Change{{Request: string(s.Reference), ReservationChange: &exchange.ReservationChange{Release: true}}}
}
