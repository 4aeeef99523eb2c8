package opportunity

// NextBatch returns the changes that travel together in the next request. It takes
// them from the front of the queue, in order, at most MaxChangesPerRequest of
// them and MaxRequestBytes. A move to another step ends its request, since later
// changes may depend on the move. Places travel with their expiry. The places of an
// opportunity that was lost or archived are given back when nothing else waits. The
// batch is empty when nothing waits, and while a question waits for an operator.
func (s *State) NextBatch() []Change {
	if !s.canProceed() {
		return nil
	}
	if s.isReleaseDue() {
		return s.ReleaseBatch()
	}
	var batch []Change
	bytes := 0
	reserving := s.ExpiryPending
	notBefore := s.Reservation.Until
	add := func(m Change) bool {
		wants := m.Interest != nil && m.Interest.Reserve
		room := MaxChangesPerRequest
		if reserving || wants {
			room-- // the expiry travels too
		}
		size := m.size()
		if len(batch) > 0 && (len(batch) >= room || bytes+size > MaxRequestBytes) {
			return false
		}
		batch = append(batch, m)
		bytes += size
		reserving = reserving || wants
		if m.ReservationChange != nil { // the caller asked for this expiry: it also counts for places taken before it
			reserving, notBefore = false, m.ReservationChange.Until
		}
		return true
	}
	extendBefore := -1 // the index of a move; the expiry must precede the move
filling:
	for _, e := range s.Queue {
		if e.SendAlone && len(batch) > 0 {
			break
		}
		if e.MessageName == MessageProgress && s.Playbook.Transitions && (len(batch) > 0 || s.isTransitionBlocked()) {
			break // its effects are planned when the move is next
		}
		for _, m := range e.remainingChanges() {
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
	extend := Change{Request: expiryRequestID(batch, s.Reference), ReservationChange: &ReservationChange{NotBefore: notBefore}}
	if extendBefore < 0 {
		return append(batch, extend)
	}
	return append(batch[:extendBefore:extendBefore], extend, batch[extendBefore])
}

// expiryRequestID returns the id of the request for which the expiry is set.
func expiryRequestID(batch []Change, fallback Reference) string {
	for _, m := range batch {
		if m.Interest != nil && m.Interest.Reserve {
			return m.Request
		}
	}
	return string(fallback)
}

// ReleaseBatch returns the one change that gives the opportunity's places back, or
// nothing when no places are held.
func (s *State) ReleaseBatch() []Change {
	if s.ID == "" || !s.hasReservation() {
		return nil
	}
	return []Change{{Request: string(s.Reference), ReservationChange: &ReservationChange{Release: true}}}
}

// remainingChanges returns the changes of the entry that are not settled yet.
func (e QueuedCommand) remainingChanges() []Change {
	c, err := e.command()
	if err != nil {
		return nil
	}
	switch c := c.(type) {
	case AddInterests:
		var list []Change
		for i := range c.Interests {
			if i < len(e.Results) && e.Results[i].isFinal() {
				continue
			}
			list = append(list, Change{Request: e.Request, Index: i, Interest: &c.Interests[i]})
		}
		return list
	case Progress:
		return []Change{{Request: e.Request, Progress: &c}}
	case UpdateDetails:
		return []Change{{Request: e.Request, Update: &c}}
	case ExtendReservations:
		return []Change{{Request: e.Request, ReservationChange: &ReservationChange{Until: c.Until}}}
	}
	return nil
}
