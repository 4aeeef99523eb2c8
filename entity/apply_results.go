package entity

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// VerifyResults checks the API's results before they change the state. An added interest counts
// only when its result names exactly one interest that was not known before. If the result names no
// new interest or several new interests, the status of the change is unknown. The results in
// answers have the order of the changes in batch. When answers is shorter than batch, the changes
// without a result get the status unknown.
func (s *RecordState) VerifyResults(batch []exchange.Change, answers []exchange.ChangeResult) []exchange.ChangeResult {
	reviewed := make([]exchange.ChangeResult, len(batch))
	taken := s.knownInterestIDs()
	for i, m := range batch {
		if i >= len(answers) {
			reviewed[i] = exchange.ChangeResult{Status: exchange.StatusUnknown}
			continue
		}
		reviewed[i] = answers[i]
		if m.Interest == nil || answers[i].Status != exchange.StatusDone {
			continue
		}
		fresh, found := soleNewInterest(answers[i].Interests, opportunity.ID(m.Interest.Item), taken)
		if !found {
			reviewed[i] = exchange.ChangeResult{Status: exchange.StatusUnknown}
			continue
		}
		taken[fresh.ID] = true
		reviewed[i].Interests = []exchange.InterestRef{fresh}
	}
	return reviewed
}

// It is undocumented whether the API returns the new interest or all interests. When several
// interests are new, soleNewInterest chooses none, because a later read of the record can decide.
func soleNewInterest(listed []exchange.InterestRef, item opportunity.ID, known map[opportunity.ID]bool) (exchange.InterestRef, bool) {
	isID := item.Type() != ""
	var fresh []exchange.InterestRef
	for _, ref := range listed {
		if !known[ref.ID] && ref.ID != "" && (!isID || ref.Item == "" || ref.Item == item) {
			fresh = append(fresh, ref)
		}
	}
	if len(fresh) != 1 {
		return exchange.InterestRef{}, false
	}
	return fresh[0], true
}

// ApplyResults updates the state with the verified results of a batch. A change that was not sent
// stays in the queue. Call ReadBack before ApplyResults, to decide the changes of unknown status. A
// change whose status is still unknown raises a question.
func (s *State) ApplyResults(batch []exchange.Change, answers []exchange.ChangeResult, now time.Time) {
	places := s.applyReservationResults(batch, answers, now)
	for i, m := range batch {
		if !m.IsRequested() {
			continue
		}
		at := slices.IndexFunc(s.Queue, func(e QueuedCommand) bool { return e.Request == m.Request })
		if at < 0 {
			continue // an operator ended the request in between
		}
		switch answers[i].Status {
		case exchange.StatusDone, exchange.StatusRejected:
			s.applyResult(at, m, answers[i], places, now)
		case exchange.StatusUnknown:
			s.Queue[at].InDoubt = true
			s.Queue[at].LaterExpirySet = isLaterExpirySet(i, batch, answers)
		case exchange.StatusNotSent:
		}
	}
	s.updateQuestion(now)
}

// isLaterExpirySet reports whether a change after index i requested an expiry, and the API
// confirmed exactly this expiry.
func isLaterExpirySet(i int, batch []exchange.Change, answers []exchange.ChangeResult) bool {
	for n := i + 1; n < len(batch); n++ {
		if m := batch[n]; m.ReservationChange != nil && m.IsRequested() && answers[n].Status == exchange.StatusDone && m.ReservationChange.ExpiryError(answers[n].Reservation) == nil {
			return true
		}
	}
	return false
}

// The function returns the reservation of the places that this batch requested, or nil when that
// reservation is not known yet.
func (s *State) applyReservationResults(batch []exchange.Change, answers []exchange.ChangeResult, now time.Time) *opportunity.Reservation {
	var places *opportunity.Reservation
	taken := false // whether places were reserved after the last expiry that is known to be set
	for i, m := range batch {
		if m.Interest != nil && m.Interest.Reserve && answers[i].Status == exchange.StatusDone && len(answers[i].Interests) > 0 {
			taken = true
		}
		if m.ReservationChange == nil {
			continue
		}
		switch answer := answers[i]; {
		case m.ReservationChange.Release:
			switch {
			case answer.Status == exchange.StatusNotSent:
			case answer.Status == exchange.StatusDone && answer.Reservation != nil && !answer.Reservation.Valid:
				s.Reservation, s.ExpiryPending = *answer.Reservation, false
				s.appendTimeline(now, "the places were released")
			case answer.Status == exchange.StatusDone && answer.Reservation != nil: // another request would not help
				s.Reservation, s.ExpiryPending = opportunity.Reservation{}, false
				s.RaiseAttention(opportunity.AttentionReservation, m.Request, "Oppflow released the places, but the API reports that the places are still reserved", now)
			default:
				s.Reservation, s.ExpiryPending = opportunity.Reservation{}, false
				s.RaiseAttention(opportunity.AttentionReservation, m.Request, "the places could not be released: "+answer.Error.PublicText(), now)
			}
		case answer.Status == exchange.StatusDone && answer.Reservation != nil:
			wanted := taken || s.ExpiryPending
			s.Reservation, s.ExpiryPending, taken = *answer.Reservation, false, false
			places = answer.Reservation
			switch {
			case !answer.Reservation.Valid && m.IsRequested() && !wanted: // the outcome of the request reports this
			case !answer.Reservation.Valid:
				s.RaiseAttention(opportunity.AttentionReservation, m.Request, "Oppflow requested places, but the API reports that the places are not reserved", now)
			default:
				s.ClearAttention(opportunity.AttentionReservation)
			}
		case answer.Status == exchange.StatusRejected && !m.IsRequested():
			s.ExpiryPending = false
			places = &opportunity.Reservation{}
			s.RaiseAttention(opportunity.AttentionReservation, m.Request, "the API rejected the reservation: "+answer.Error.PublicText(), now)
		default:
			s.ExpiryPending = s.ExpiryPending || taken
		}
	}
	return places
}

func (s *State) applyResult(at int, m exchange.Change, answer exchange.ChangeResult, places *opportunity.Reservation, now time.Time) {
	e := &s.Queue[at]
	e.Errors, e.FailingSince = 0, time.Time{}
	note := ""
	switch {
	case m.Interest != nil:
		if e.Results == nil {
			e.Results = make([]opportunity.InterestResult, e.ChangeCount)
		}
		e.Results[m.Index] = s.interestResult(*m.Interest, answer, places, now)
		if e.remainingChangeCount() > 0 {
			return
		}
	case answer.Status == exchange.StatusRejected:
	case m.Progress != nil:
		if answer.Step != nil {
			s.setStep(*answer.Step, now)
		}
	case m.Update != nil:
		if answer.Details != nil {
			note = s.currencyNote(answer.Details.Currency)
			s.Details.Name = answer.Details.Name
			s.Details.Account = answer.Details.Account
			s.Details.Currency = answer.Details.Currency
		}
	case m.ReservationChange != nil:
		answer.Error = m.ReservationChange.ExpiryError(answer.Reservation)
	}
	finished := *e
	s.Queue = slices.Delete(s.Queue, at, at+1)
	s.endRequestWithNote(finished, answer.Error, note, now)
}

func (s *State) interestResult(asked opportunity.Interest, answer exchange.ChangeResult, places *opportunity.Reservation, now time.Time) opportunity.InterestResult {
	result := opportunity.InterestResult{Item: asked.Item}
	if answer.Status == exchange.StatusRejected || len(answer.Interests) == 0 {
		result.Error = answer.Error.Truncated()
		if result.Error == nil {
			result.Error = opportunity.Failf(opportunity.Rejected, "the API did not add the interest and gave no reason")
		}
		return result
	}
	result.Interest = answer.Interests[0].ID
	s.addAttendees(asked, answer.Interests[0], now)
	s.Interests = append(s.Interests, asked.Recorded(result.Interest))
	switch {
	case !asked.Reserve || places == nil:
	case places.Valid:
		until := places.Until
		result.ReservedUntil = &until
	default:
		result.Error = opportunity.Failf(opportunity.Rejected, "the interest was added, but its places are not reserved")
	}
	return result
}

// ApplyRejectedRequest handles an API request that was rejected as a whole, so that none of its
// changes was made. When the API request contained one requested change, this change is rejected.
// Several requested changes are sent again one by one, to find the change that fails. An expiry
// that Oppflow added to the requested change is not rejected, because places that were reserved
// earlier still need the expiry.
func (s *State) ApplyRejectedRequest(batch []exchange.Change, reason *opportunity.Error, now time.Time) {
	own := 0
	for _, m := range batch {
		if m.IsRequested() {
			own++
		}
	}
	if own > 1 {
		for i := range s.Queue {
			if slices.ContainsFunc(batch, func(m exchange.Change) bool { return m.IsRequested() && m.Request == s.Queue[i].Request }) {
				s.Queue[i].SendAlone = true
			}
		}
		return
	}
	answers := make([]exchange.ChangeResult, len(batch))
	for i := range batch {
		answers[i] = exchange.ChangeResult{Status: exchange.StatusRejected, Error: reason}
		if own > 0 && !batch[i].IsRequested() {
			answers[i] = exchange.ChangeResult{Status: exchange.StatusNotSent}
		}
	}
	s.ApplyResults(batch, answers, now)
}

// FailNames ends the requests of the batch that use a name for which no id or several ids were
// found. If such a name is in an addInterests command, FailNames ends only the interest with the
// name.
func (s *State) FailNames(batch []exchange.Change, failed map[exchange.UnresolvedName]*opportunity.Error, now time.Time) {
	answers := make([]exchange.ChangeResult, len(batch))
	for i, m := range batch {
		answers[i] = exchange.ChangeResult{Status: exchange.StatusNotSent}
		for _, name := range m.Names() {
			if reason := failed[name]; reason != nil {
				answers[i] = exchange.ChangeResult{Status: exchange.StatusRejected, Error: reason}
				break
			}
		}
	}
	s.applyNameFailures(batch, answers, now)
}

// applyNameFailures applies the results of a batch of which nothing was sent, and stores nothing
// about the reservation.
func (s *State) applyNameFailures(batch []exchange.Change, answers []exchange.ChangeResult, now time.Time) {
	for i, m := range batch {
		at := slices.IndexFunc(s.Queue, func(e QueuedCommand) bool { return e.Request == m.Request })
		if at >= 0 && answers[i].Status == exchange.StatusRejected {
			s.applyResult(at, m, answers[i], nil, now)
		}
	}
}

// FailAll ends all queued and parked commands as failed, with the given reason. A command with
// InDoubt or MaybeApplied ends with the error type Undecided, because its change may have been
// made.
func (s *State) FailAll(reason *opportunity.Error, now time.Time) {
	waiting := slices.Concat(s.Parked, s.Queue)
	s.Queue, s.Parked = nil, nil
	s.ClearAttention(opportunity.AttentionParked)
	why := "the run of the opportunity has ended"
	if s.Closing != nil {
		why = "an operator closed the opportunity: " + s.Closing.Reason
	}
	for _, e := range waiting {
		if e.InDoubt || e.MaybeApplied {
			s.endRequest(e, opportunity.Failf(opportunity.Undecided, "it is unknown whether the request was carried out; check the record in the TMS; %s", why), now)
		} else {
			s.endRequest(e, reason, now)
		}
	}
	s.abandonEffects(now)
	s.updateQuestion(now)
}
