package opportunity

import (
	"slices"
	"time"
)

// Review checks the API's answers before they count. An added interest counts only
// when its answer names exactly one interest that was not known before. Otherwise
// the fate of the interest is unknown. answers has the order of batch; an answer
// missing at its end is unknown.
func (s *RecordState) Review(batch []Mutation, answers []Answer) []Answer {
	reviewed := make([]Answer, len(batch))
	taken := s.knownInterests()
	for i, m := range batch {
		if i >= len(answers) {
			reviewed[i] = Answer{Fate: FateUnknown}
			continue
		}
		reviewed[i] = answers[i]
		if m.Interest == nil || answers[i].Fate != FateDone {
			continue
		}
		fresh, found := pickFresh(answers[i].Interests, ID(m.Interest.Item), taken)
		if !found {
			reviewed[i] = Answer{Fate: FateUnknown}
			continue
		}
		taken[fresh.ID] = true
		reviewed[i].Interests = []InterestRef{fresh}
	}
	return reviewed
}

// pickFresh finds the one new interest in the requested item. It is undocumented
// whether the API returns the new interest or all interests. With several new ones a
// choice would be a guess, and reading the record back shows more.
func pickFresh(listed []InterestRef, item ID, known map[ID]bool) (InterestRef, bool) {
	isID := item.Type() != ""
	var fresh []InterestRef
	for _, ref := range listed {
		if !known[ref.ID] && ref.ID != "" && (!isID || ref.Item == "" || ref.Item == item) {
			fresh = append(fresh, ref)
		}
	}
	if len(fresh) != 1 {
		return InterestRef{}, false
	}
	return fresh[0], true
}

// Settle changes the state by reviewed answers to a batch. A change that was not
// sent stays in the queue. Recall must first decide answers of unknown fate. A
// change that is still unknown waits with a question.
func (s *State) Settle(batch []Mutation, answers []Answer, now time.Time) {
	places := s.settleExtend(batch, answers, now)
	for i, m := range batch {
		if !m.isAsked() {
			continue
		}
		at := slices.IndexFunc(s.Queue, func(e Entry) bool { return e.Request == m.Request })
		if at < 0 {
			continue // an operator ended it in between
		}
		switch answers[i].Fate {
		case FateDone, FateRejected:
			s.settleOne(at, m, answers[i], places, now)
		case FateUnknown:
			s.Queue[at].Doubt = true
			s.Queue[at].Lapses = lapses(i, batch, answers)
		case FateNotSent:
		}
	}
	s.ask(now)
}

// lapses reports whether a requested expiry behind the change at i is known to be
// set, at the requested time.
func lapses(i int, batch []Mutation, answers []Answer) bool {
	for n := i + 1; n < len(batch); n++ {
		if m := batch[n]; m.Extend != nil && m.isAsked() && answers[n].Fate == FateDone && m.Extend.missed(answers[n].Reservation) == nil {
			return true
		}
	}
	return false
}

// settleExtend stores the API's word on the places. It returns what is then known of
// the places requested in this batch: nil when that is still open.
func (s *State) settleExtend(batch []Mutation, answers []Answer, now time.Time) *Reservation {
	var places *Reservation
	taken := false // places, after the last expiry that is known to be set
	for i, m := range batch {
		if m.Interest != nil && m.Interest.Reserve && answers[i].Fate == FateDone && len(answers[i].Interests) > 0 {
			taken = true
		}
		if m.Extend == nil {
			continue
		}
		switch answer := answers[i]; {
		case m.Extend.Release:
			switch {
			case answer.Fate == FateNotSent:
			case answer.Fate == FateDone && answer.Reservation != nil && !answer.Reservation.Valid:
				s.Reservation, s.ExtendDue = *answer.Reservation, false
				s.note(now, "reservations released")
			case answer.Fate == FateDone && answer.Reservation != nil: // another request would not help
				s.Reservation, s.ExtendDue = Reservation{}, false
				s.Attend(AttentionReservation, m.Request, "the places were to be released, but the API says that they are still held", now)
			default:
				s.Reservation, s.ExtendDue = Reservation{}, false
				s.Attend(AttentionReservation, m.Request, "the places could not be released: "+answer.Error.label(), now)
			}
		case answer.Fate == FateDone && answer.Reservation != nil:
			wanted := taken || s.ExtendDue
			s.Reservation, s.ExtendDue, taken = *answer.Reservation, false, false
			places = answer.Reservation
			switch {
			case !answer.Reservation.Valid && m.isAsked() && !wanted: // the outcome of its own request says it
			case !answer.Reservation.Valid:
				s.Attend(AttentionReservation, m.Request, "places were asked for, but the API says that they are not held", now)
			default:
				s.Calm(AttentionReservation)
			}
		case answer.Fate == FateRejected && !m.isAsked():
			s.ExtendDue = false
			places = &Reservation{}
			s.Attend(AttentionReservation, m.Request, "the API refused to hold the places: "+answer.Error.label(), now)
		default:
			s.ExtendDue = s.ExtendDue || taken
		}
	}
	return places
}

// label returns the part of an error that names no person.
func (e *Error) label() string {
	if e == nil {
		return "no reason given"
	}
	if e.Label != "" {
		return clip(e.Label, MaxKeptLabel)
	}
	return string(e.Type)
}

// kept returns the error in the form that an outcome keeps.
func (e *Error) kept() *Error {
	if e == nil {
		return nil
	}
	return &Error{Type: e.Type, Label: clip(e.Label, MaxKeptLabel), Message: clip(e.Message, MaxKeptMessage), Value: clip(e.Value, MaxKeptLabel)}
}

func (s *State) settleOne(at int, m Mutation, answer Answer, places *Reservation, now time.Time) {
	e := &s.Queue[at]
	e.Errors, e.FailingSince = 0, time.Time{}
	switch {
	case m.Interest != nil:
		if e.Results == nil {
			e.Results = make([]InterestResult, e.Changes)
		}
		e.Results[m.Index] = s.interestResult(*m.Interest, answer, places, now)
		if e.mutationsLeft() > 0 {
			return
		}
	case answer.Fate == FateRejected:
	case m.Progress != nil:
		if answer.Step != nil {
			s.stand(*answer.Step, now)
		}
	case m.Update != nil:
		if answer.Details != nil {
			s.Details.Name = answer.Details.Name
			s.Details.Account = answer.Details.Account
			s.Details.Currency = answer.Details.Currency
		}
	case m.Extend != nil:
		answer.Error = m.Extend.missed(answer.Reservation)
	}
	finished := *e
	s.Queue = slices.Delete(s.Queue, at, at+1)
	s.finish(finished, answer.Error, now)
}

// missed says why the API does not show the places as held until the requested time:
// an answer without errors proves nothing.
func (e Extend) missed(held *Reservation) *Error {
	switch {
	case held == nil || !held.Valid:
		return Failf(Rejected, "the API says that no places are held; what has lapsed or was never reserved cannot be extended")
	case held.Until.Sub(e.Until).Abs() > ExpiryTolerance:
		return Failf(Rejected, "the API still says that the places are held until %s", held.Until.UTC().Format(time.RFC3339))
	}
	return nil
}

func (s *State) interestResult(asked Interest, answer Answer, places *Reservation, now time.Time) InterestResult {
	result := InterestResult{Item: asked.Item}
	if answer.Fate == FateRejected || len(answer.Interests) == 0 {
		result.Error = answer.Error.kept()
		if result.Error == nil {
			result.Error = Failf(Rejected, "the API gave no reason")
		}
		return result
	}
	result.Interest = answer.Interests[0].ID
	s.attends(asked, answer.Interests[0], now)
	s.Interests = append(s.Interests, asked.held(result.Interest))
	switch {
	case !asked.Reserve || places == nil:
	case places.Valid:
		until := places.Until
		result.ReservedUntil = &until
	default:
		result.Error = Failf(Rejected, "the interest stands, but its places are not held")
	}
	return result
}

// Refused handles a request that was refused as a whole, so none of its changes was
// made. A lone change is then rejected. Several changes are sent again one by one,
// which finds the change that fails. An expiry that travelled with a lone change is
// not rejected, since places taken before still need it.
func (s *State) Refused(batch []Mutation, reason *Error, now time.Time) {
	own := 0
	for _, m := range batch {
		if m.isAsked() {
			own++
		}
	}
	if own > 1 {
		for i := range s.Queue {
			if slices.ContainsFunc(batch, func(m Mutation) bool { return m.isAsked() && m.Request == s.Queue[i].Request }) {
				s.Queue[i].Alone = true
			}
		}
		return
	}
	answers := make([]Answer, len(batch))
	for i := range batch {
		answers[i] = Answer{Fate: FateRejected, Error: reason}
		if own > 0 && !batch[i].isAsked() {
			answers[i] = Answer{Fate: FateNotSent}
		}
	}
	s.Settle(batch, answers, now)
}

// FailNames ends the requests of the batch with a name that means nothing, or more
// than one thing; of an addInterests it ends only the interest with such a name.
func (s *State) FailNames(batch []Mutation, failed map[Name]*Error, now time.Time) {
	answers := make([]Answer, len(batch))
	for i, m := range batch {
		answers[i] = Answer{Fate: FateNotSent}
		for _, name := range m.Names() {
			if reason := failed[name]; reason != nil {
				answers[i] = Answer{Fate: FateRejected, Error: reason}
				break
			}
		}
	}
	s.settleNames(batch, answers, now)
}

// settleNames settles like Settle when nothing was sent, and stores nothing about
// the places.
func (s *State) settleNames(batch []Mutation, answers []Answer, now time.Time) {
	for i, m := range batch {
		at := slices.IndexFunc(s.Queue, func(e Entry) bool { return e.Request == m.Request })
		if at >= 0 && answers[i].Fate == FateRejected {
			s.settleOne(at, m, answers[i], nil, now)
		}
	}
}

// FailAll ends everything that waits as failed, with the given reason. A request in
// doubt, or tried before, ends as Undecided, since it may have happened.
func (s *State) FailAll(reason *Error, now time.Time) {
	waiting := slices.Concat(s.Parked, s.Queue)
	s.Queue, s.Parked = nil, nil
	s.Calm(AttentionParked)
	why := "the run of the opportunity has ended"
	if s.Closing != nil {
		why = "an operator closed the opportunity: " + s.Closing.Reason
	}
	for _, e := range waiting {
		if e.Doubt || e.Tried {
			s.finish(e, Failf(Undecided, "it is unknown whether the request was carried out; look at the record in the TMS; %s", why), now)
		} else {
			s.finish(e, reason, now)
		}
	}
	s.abandonJobs(now)
	s.ask(now)
}
