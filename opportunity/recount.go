package opportunity

import "time"

// Backlog answers every change that waits, in order, also of requests in doubt.
func (s *State) Backlog() []Mutation {
	var all []Mutation
	for _, e := range s.Queue {
		all = append(all, e.mutations()...)
	}
	return all
}

// Recount decides, from the record read back, what became of everything that
// waits after the run was reset: the run before it may have put a part of it to
// the API, and what it knew is lost. It may be asked only once no request of that
// run can be under way any more. Its answers run beside all, which is Backlog
// without the changes whose names mean nothing: these were never sent.
//
// The run before worked through the same messages in the same order, so what
// took effect tells of what came before it: that was sent, too, though the API
// may have turned it down. Interests are decided as Recall does. A move counts as
// done when the record stands where it, and no other, was to lead. Details and
// expiries count as done when the record shows them or a later one that does.
// What was sent and does not show stays unknown: it was refused, or undone by
// hand, and sending it again would be a guess. What came after all that shows is
// taken for not sent; had it been refused, it would be refused again.
//
// from is the step in which the run knew the record, "" when it knew of none.
func (s *State) Recount(all []Mutation, from ID, record Snapshot, resolved map[Name]ID) []Answer {
	answers := make([]Answer, len(all))
	for i := range answers {
		answers[i].Fate = FateUnknown
	}
	s.recallInterests(all, answers, record, resolved)
	recountMoves(all, answers, from, record, resolved)
	last := -1
	for i, m := range all {
		if answers[i].Fate == FateDone && (m.Interest != nil || m.Progress != nil) {
			last = i
		}
	}
	for i := len(all) - 1; i >= 0; i-- {
		switch m := all[i]; {
		case m.Update != nil:
			answers[i] = recountUpdate(i, all, answers, record, resolved)
		case m.Extend != nil:
			answers[i] = recountExtend(i, all, answers, record)
		}
		if i < last && answers[i].Fate == FateNotSent && all[i].Extend == nil { // an expiry does no harm
			answers[i].Fate = FateUnknown
		}
	}
	return answers
}

// recountMoves decides moves by where the record stands. That it stands where it
// was known to stand may mean that nothing happened, or that it came back.
func recountMoves(all []Mutation, answers []Answer, from ID, record Snapshot, resolved map[Name]ID) {
	var moves, there []int
	for i, m := range all {
		if m.Progress == nil {
			continue
		}
		moves = append(moves, i)
		if m.Progress.target(resolved) == record.Step.ID {
			there = append(there, i)
		}
	}
	last := -1 // the last that may have happened
	switch stays := record.Step.ID == from; {
	case stays && len(there) == 1 && there[0] == moves[0]: // that one leads nowhere, see Recall
	case len(there) > 0:
		last = there[len(there)-1]
		if len(there) == 1 && !stays {
			answers[last] = Answer{Fate: FateDone, Step: &record.Step}
		}
	case !stays && from != "": // somebody else moved it, before or after
		last = len(all)
	}
	for _, i := range moves {
		if i > last {
			answers[i].Fate = FateNotSent
		}
	}
}

// target is the id of the step to move to, as far as it is known.
func (p Progress) target(resolved map[Name]ID) ID {
	if id, named := resolved[Name{Type: TypeStep, Text: p.To}]; named {
		return id
	}
	return ID(p.To)
}

// recountUpdate decides whether the details show, or would be undone if they were
// set again: where a later update that shows has set the same.
func recountUpdate(i int, all []Mutation, answers []Answer, record Snapshot, resolved map[Name]ID) Answer {
	missing := all[i].Update.missing(record.Details, resolved)
	for n := i + 1; n < len(all) && missing != (UpdateDetails{}); n++ {
		if later := all[n].Update; later != nil && answers[n].Fate == FateDone {
			missing = missing.without(*later)
		}
	}
	if missing == (UpdateDetails{}) {
		return Answer{Fate: FateDone, Details: &record.Details}
	}
	return Answer{Fate: FateNotSent}
}

// missing is what of the update the record does not show.
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

// without leaves out what the other update sets, too.
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

// recountExtend decides whether the expiry shows, or would be undone if it were
// set again: where a later one shows.
func recountExtend(i int, all []Mutation, answers []Answer, record Snapshot) Answer {
	held := record.Reservation
	for n := i + 1; n < len(all); n++ {
		if all[n].Extend != nil && answers[n].Fate == FateDone {
			return Answer{Fate: FateDone, Reservation: &Reservation{Valid: true, Until: all[i].Extend.Until}}
		}
	}
	if held.Until.Sub(all[i].Extend.Until).Abs() <= ExpiryTolerance {
		return Answer{Fate: FateDone, Reservation: &Reservation{Valid: true, Until: held.Until}}
	}
	return Answer{Fate: FateNotSent}
}

// Recounted takes in what Recount decided, and the record as it stands: interests
// that nobody is known to have asked for are shown from now on, and never taken
// for the effect of a request.
func (s *State) Recounted(all []Mutation, answers []Answer, record Snapshot, now time.Time) {
	s.note(now, "the run was reset: what waits was compared with the record")
	s.Settle(all, answers, now)
	for i, m := range all {
		if m.Interest != nil && m.Interest.Reserve && answers[i].Fate == FateDone && !record.Reservation.Valid {
			s.ExtendDue = true // its expiry may not have been sent
		}
	}
	s.Refreshed(record, now)
}
