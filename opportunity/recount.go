package opportunity

import (
	"slices"
	"time"
)

// Backlog holds every change that waits after a reset, in the order of the queue.
type Backlog struct {
	Mutations []Mutation
	entries   []Entry // one for each mutation
}

// Backlog returns every change that waits, also of requests in doubt.
func (s *Inbox) Backlog() Backlog {
	var b Backlog
	for _, e := range s.Queue {
		for _, m := range e.mutations() {
			b.Mutations, b.entries = append(b.Mutations, m), append(b.entries, e)
		}
	}
	return b
}

// before reports whether the change at i was certainly requested before the change at
// j. After a reset all messages come again at once, signals first.
func (b Backlog) before(i, j int) bool {
	return i < j && (b.entries[i].Called == b.entries[j].Called || b.entries[i].Accepted.Before(b.entries[j].Accepted))
}

// Recount decides everything that waits after a reset, from the record, read back. The
// run before the reset may have sent a part of it, and the knowledge of that run is
// lost. Call Recount only when no request of that run can be under way any more. First
// end the requests whose names mean nothing, since they were never sent. The answers
// have the order of the backlog.
//
// Interests are matched by their items. All interests of the record in an item that
// were not known before count as made. The exception is an item with fewer such
// interests than requested, when the requested ones differ in facts that cannot be
// read back. A move counts as done when the record is in its target step, and no other
// move leads there. Details and expiries count as done when the record shows them, or
// shows those of a change that may have come later.
//
// The run before worked through the messages in their order. So a change that took
// effect proves that the changes before it were sent. A change that was sent and does
// not show stays unknown: it was refused, or undone by hand, and to send it again
// would be a guess. All other changes count as not sent. A change that was refused
// before is then refused again.
//
// from is the step where the run knew the record, "" when it knew of none.
func (s *RecordState) Recount(b Backlog, from ID, record Snapshot, resolved map[Name]ID) []Answer {
	answers := make([]Answer, len(b.Mutations))
	for i := range answers {
		answers[i].Fate = FateUnknown
	}
	s.recountInterests(b, answers, record, resolved)
	b.recountMoves(answers, from, record, resolved)
	took := slices.Clone(answers)
	for i := range slices.Backward(b.Mutations) {
		switch m := b.Mutations[i]; {
		case m.Update != nil:
			answers[i] = b.recountUpdate(i, record, resolved)
		case m.Extend != nil:
			answers[i] = b.recountExtend(i, record)
			continue // an expiry does no harm
		}
		if answers[i].Fate == FateNotSent && b.sent(i, took) {
			answers[i].Fate = FateUnknown
		}
	}
	b.sendAlong(answers)
	return answers
}

// sendAlong also sends an update that shows, when an earlier update of the same
// details is sent again. The record may have shown these details before both updates.
func (b Backlog) sendAlong(answers []Answer) {
	for i, m := range b.Mutations {
		if m.Update == nil || answers[i].Fate == FateDone {
			continue
		}
		for j := i + 1; j < len(answers); j++ {
			if later := b.Mutations[j].Update; later != nil && answers[j].Fate == FateDone && m.Update.without(*later) != *m.Update {
				answers[j] = Answer{Fate: FateNotSent}
			}
		}
	}
}

// sent reports whether a change that certainly came later took effect.
func (b Backlog) sent(i int, answers []Answer) bool {
	for j := range answers {
		if answers[j].Fate == FateDone && b.before(i, j) {
			return true
		}
	}
	return false
}

func (s *RecordState) recountInterests(b Backlog, answers []Answer, record Snapshot, resolved map[Name]ID) {
	known := s.knownInterests()
	there := make(map[ID][]InterestRef)
	for _, ref := range record.Interests {
		if !known[ref.ID] {
			there[ref.Item] = append(there[ref.Item], ref)
		}
	}
	asked := make(map[ID][]int)
	wishes := make([]wish, len(b.Mutations))
	var items []ID
	for i, m := range b.Mutations {
		if m.Interest == nil {
			continue
		}
		wishes[i] = m.wish(resolved)
		item := wishes[i].item
		if asked[item] == nil {
			items = append(items, item)
		}
		asked[item] = append(asked[item], i)
	}
	for _, item := range items {
		places := asked[item]
		of := make([]wish, len(places))
		for n, i := range places {
			of[n] = wishes[i]
		}
		if item == "" || !beginsOnly(there[item], of) {
			continue
		}
		for n, i := range places {
			if n < len(there[item]) {
				answers[i] = Answer{Fate: FateDone, Interests: there[item][n : n+1]}
			} else {
				answers[i] = Answer{Fate: FateNotSent}
			}
		}
	}
}

// recountMoves decides moves by the record's step. When the record is in its known
// step, either nothing happened, or the record came back.
func (b Backlog) recountMoves(answers []Answer, from ID, record Snapshot, resolved map[Name]ID) {
	var moves, there []int
	for i, m := range b.Mutations {
		if m.Progress == nil {
			continue
		}
		moves = append(moves, i)
		if m.Progress.target(resolved) == record.Step.ID {
			there = append(there, i)
		}
	}
	stays := record.Step.ID == from
	if len(there) == 0 && !stays && from != "" {
		return // a person moved the record, before or after
	}
	if stays && len(there) == 1 && !slices.ContainsFunc(moves, func(i int) bool { return i != there[0] && !b.before(there[0], i) }) {
		there = nil // the first move leads nowhere, see Recall
	}
	for _, i := range moves {
		switch {
		case slices.Equal(there, []int{i}) && !stays:
			answers[i] = Answer{Fate: FateDone, Step: &record.Step}
		case !slices.ContainsFunc(there, func(t int) bool { return !b.before(t, i) }):
			answers[i].Fate = FateNotSent
		}
	}
}

// target returns the id of the target step, if it is known.
func (p Progress) target(resolved map[Name]ID) ID {
	if id, named := resolved[Name{Type: TypeStep, Text: p.To}]; named {
		return id
	}
	return ID(p.To)
}

// recountUpdate decides whether the details show. The update also counts as done when
// it would undo another update: one that shows, sets the same details, and may have
// come later.
func (b Backlog) recountUpdate(i int, record Snapshot, resolved map[Name]ID) Answer {
	missing := b.Mutations[i].Update.missing(record.Details, resolved)
	for j, m := range b.Mutations {
		if m.Update != nil && j != i && !b.before(j, i) && m.Update.missing(record.Details, resolved) == (UpdateDetails{}) {
			missing = missing.without(*m.Update)
		}
	}
	if missing == (UpdateDetails{}) {
		return Answer{Fate: FateDone, Details: &record.Details}
	}
	return Answer{Fate: FateNotSent}
}

// missing returns the details of the update that the record does not show.
func (u UpdateDetails) missing(details Details, resolved map[Name]ID) UpdateDetails {
	named := func(typ, text string) ID {
		if id, known := resolved[Name{Type: typ, Text: text}]; known {
			return id
		}
		return ID(text)
	}
	missing := UpdateDetails{Name: u.Name, Account: u.Account, Currency: u.Currency}
	if u.Name == details.Name {
		missing.Name = ""
	}
	if named(TypeAccount, u.Account) == details.Account.ID {
		missing.Account = ""
	}
	if string(named(TypeCurrency, u.Currency)) == details.Currency {
		missing.Currency = ""
	}
	return missing
}

// without leaves out the details that the other update also sets.
func (u UpdateDetails) without(other UpdateDetails) UpdateDetails {
	if other.Name != "" {
		u.Name = ""
	}
	if other.Account != "" {
		u.Account = ""
	}
	if other.Currency != "" {
		u.Currency = ""
	}
	return u
}

// recountExtend decides whether the expiry shows. The expiry also counts as done when
// it would undo another expiry that shows and may have come later.
func (b Backlog) recountExtend(i int, record Snapshot) Answer {
	shows := func(j int) bool {
		return record.Reservation.Until.Sub(b.Mutations[j].Extend.Until).Abs() <= ExpiryTolerance
	}
	for j, m := range b.Mutations {
		if m.Extend != nil && (j == i || !b.before(j, i)) && shows(j) {
			return Answer{Fate: FateDone, Reservation: &Reservation{Valid: true, Until: b.Mutations[i].Extend.Until}}
		}
	}
	return Answer{Fate: FateNotSent}
}

// Recounted stores the result of Recount, and the record. Interests that no known
// request asked for are shown from now on, and never count as the effect of a request.
func (s *State) Recounted(b Backlog, answers []Answer, record Snapshot, now time.Time) {
	s.note(now, "the run was reset: what waits was compared with the record")
	s.Settle(b.Mutations, answers, now)
	for i := range s.Queue {
		s.Queue[i].Tried = s.Queue[i].Tried || s.Queue[i].lapsed(now) // the run before may have sent it in time
	}
	for i, m := range b.Mutations {
		if m.Interest != nil && m.Interest.Reserve && answers[i].Fate == FateDone && !record.Reservation.Valid {
			s.ExtendDue = true // its expiry may not have been sent
		}
	}
	s.Refreshed(record, now)
}
