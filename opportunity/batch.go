package opportunity

// NextBatch returns the changes that travel together in the next request. It takes
// them from the front of the queue, in order, at most MaxMutationsPerRequest of
// them and MaxRequestBytes. A move to another step ends its request, since later
// changes may depend on the move. Places travel with their expiry. The places of an
// opportunity that was lost or archived are given back when nothing else waits. The
// batch is empty when nothing waits, and while a question waits for an operator.
func (s *State) NextBatch() []Mutation {
	if !s.mayAct() {
		return nil
	}
	if s.releaseDue() {
		return s.ReleaseBatch()
	}
	var batch []Mutation
	bytes := 0
	reserving := s.ExtendDue
	notBefore := s.Reservation.Until
	add := func(m Mutation) bool {
		wants := m.Interest != nil && m.Interest.Reserve
		room := MaxMutationsPerRequest
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
		if m.Extend != nil { // the caller asked for this expiry: it also counts for places taken before it
			reserving, notBefore = false, m.Extend.Until
		}
		return true
	}
	extendBefore := -1 // the index of a move; the expiry must precede the move
filling:
	for _, e := range s.Queue {
		if e.Alone && len(batch) > 0 {
			break
		}
		if e.Verb == VerbProgress && s.Rules.Moves && (len(batch) > 0 || s.moveWaits()) {
			break // its effects are planned when the move is next
		}
		for _, m := range e.mutations() {
			if !add(m) {
				break filling
			}
			if m.Progress != nil {
				extendBefore = len(batch) - 1
				break filling
			}
			if e.Alone {
				break filling
			}
		}
	}
	if !reserving {
		return batch
	}
	extend := Mutation{Request: extendRequest(batch, s.Reference), Extend: &Extend{NotBefore: notBefore}}
	if extendBefore < 0 {
		return append(batch, extend)
	}
	return append(batch[:extendBefore:extendBefore], extend, batch[extendBefore])
}

// extendRequest returns the id of the request for which the expiry is set.
func extendRequest(batch []Mutation, fallback Reference) string {
	for _, m := range batch {
		if m.Interest != nil && m.Interest.Reserve {
			return m.Request
		}
	}
	return string(fallback)
}

// ReleaseBatch returns the one change that gives the opportunity's places back, or
// nothing when no places are held.
func (s *State) ReleaseBatch() []Mutation {
	if s.ID == "" || !s.holdsPlaces() {
		return nil
	}
	return []Mutation{{Request: string(s.Reference), Extend: &Extend{Release: true}}}
}

// mutations returns the changes of the entry that are not settled yet.
func (e Entry) mutations() []Mutation {
	c, err := e.command()
	if err != nil {
		return nil
	}
	switch c := c.(type) {
	case AddInterests:
		var list []Mutation
		for i := range c.Interests {
			if i < len(e.Results) && e.Results[i].settled() {
				continue
			}
			list = append(list, Mutation{Request: e.Request, Index: i, Interest: &c.Interests[i]})
		}
		return list
	case Progress:
		return []Mutation{{Request: e.Request, Progress: &c}}
	case UpdateDetails:
		return []Mutation{{Request: e.Request, Update: &c}}
	case ExtendReservations:
		return []Mutation{{Request: e.Request, Extend: &Extend{Until: c.Until}}}
	}
	return nil
}
