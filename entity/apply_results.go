package entity

import (
	"cmp"
	"slices"
	"time"

	"github.com/oppflow/oppflow/entity/news"
	"github.com/oppflow/oppflow/entity/queue"
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
// stays in the queue. Call ReadBack before ApplyResults, because ReadBack decides the changes of
// unknown status. A change whose status is still unknown raises a question.
//
// placesPerEvent returns false for a run that a worker of an earlier version began. In a run of an
// earlier version, only the reservation of the opportunity decides whether the requested places of
// an interest are reserved. ApplyResults calls placesPerEvent only when the results depend on the
// returned value.
func (s *State) ApplyResults(batch []exchange.Change, answers []exchange.ChangeResult, placesPerEvent func() bool, now time.Time) {
	s.applyResults(batch, answers, s.HasReservation(), nil, placesPerEvent, now)
}

// hadReservation says that the opportunity may have had a reservation before the batch. known is
// the reservation that counts if the batch does not set an expiry; nil when this reservation is not
// known.
func (s *State) applyResults(batch []exchange.Change, answers []exchange.ChangeResult, hadReservation bool, known *opportunity.Reservation, placesPerEvent func() bool, now time.Time) {
	held := cmp.Or(s.applyReservationResults(batch, answers, now), known)
	places := s.placesResults(batch, answers, held, hadReservation, placesPerEvent)
	for i, m := range batch {
		if !m.IsRequested() {
			continue
		}
		at := slices.IndexFunc(s.Queue, func(e queue.Command) bool { return e.Request == m.Request })
		if at < 0 {
			continue // an operator has ended the request
		}
		switch answers[i].Status {
		case exchange.StatusDone, exchange.StatusRejected:
			s.applyResult(at, m, answers[i], places[i], now)
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

// applyReservationResults returns the reservation of the places that this batch requested, or nil
// when the reservation is not known yet.
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
			case answer.Status == exchange.StatusDone && answer.Reservation != nil: // a second release would not help
				s.Reservation, s.ExpiryPending = opportunity.Reservation{}, false
				s.RaiseAttention(opportunity.AttentionReservation, m.Request, "Oppflow released the places, but the API reports that the places are still reserved", now)
			default:
				s.Reservation, s.ExpiryPending = opportunity.Reservation{}, false
				s.RaiseAttention(opportunity.AttentionReservation, m.Request, "the places could not be released: "+answer.Error.PublicText(), now)
			}
		case answer.Status == exchange.StatusDone && answer.Reservation != nil:
			wanted := taken || s.ExpiryPending
			if answer.Reservation.Valid && s.ExpiryPending && !s.Reservation.Valid && !taken {
				s.confirmSolePlaces()
			}
			s.Reservation, s.ExpiryPending, taken = *answer.Reservation, false, false
			places = answer.Reservation
			switch {
			case !answer.Reservation.Valid && m.IsRequested() && !wanted: // the outcome of the request reports the missing places
			case !answer.Reservation.Valid:
				s.RaiseAttention(opportunity.AttentionReservation, m.Request, "Oppflow requested places, but the API reports that the places are not reserved", now)
			default:
				s.clearReservationAttention()
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

func (s *State) applyResult(at int, m exchange.Change, answer exchange.ChangeResult, places placesResult, now time.Time) {
	e := &s.Queue[at]
	e.Errors, e.FailingSince = 0, time.Time{}
	note := ""
	switch {
	case m.Interest != nil:
		if e.Results == nil {
			e.Results = make([]opportunity.InterestResult, e.ChangeCount)
		}
		e.Results[m.Index] = s.interestResult(*m.Interest, answer, places, now)
		if e.RemainingChangeCount() > 0 {
			return
		}
	case answer.Status == exchange.StatusRejected:
	case m.Progress != nil:
		if s.StepUnconfirmed = answer.Step == nil; answer.Step != nil {
			s.setStep(*answer.Step, now)
		}
	case m.Update != nil:
		if answer.Details != nil {
			note = news.OfCurrency(s.Details.Currency, answer.Details.Currency, len(s.Interests)+len(s.Unattributed))
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

func (s *State) interestResult(asked opportunity.Interest, answer exchange.ChangeResult, places placesResult, now time.Time) opportunity.InterestResult {
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
	result.ReservedUntil, result.Error = places.heldUntil, places.error()
	s.setPlaces(exchange.InterestPlaces{Interest: result.Interest, State: places.state}, now)
	return result
}

// placesResult says whether the requested places of one added interest are reserved.
type placesResult struct {
	state opportunity.PlacesState
	// heldUntil is the expiry time of reserved places; nil when the places are not reserved.
	heldUntil *time.Time
}

// error returns why the result of the interest shows no reserved places.
func (p placesResult) error() *opportunity.Error {
	switch p.state {
	case opportunity.PlacesNotHeld:
		return opportunity.Failf(opportunity.Rejected, "the interest was added, but its places are not reserved")
	case opportunity.PlacesNotKnown:
		return opportunity.Failf(opportunity.Undecided, "the interest was added, but it is not known whether its places are reserved; check the event in the TMS")
	}
	return nil
}

// placesResults decides which of the requested places are reserved. held is the reservation after
// the batch, or nil when the reservation is not known yet.
func (s *State) placesResults(batch []exchange.Change, answers []exchange.ChangeResult, held *opportunity.Reservation, hadReservation bool, placesPerEvent func() bool) []placesResult {
	results := make([]placesResult, len(batch))
	requests, moved := 0, false
	for i, m := range batch {
		if mayReserve(m, answers[i]) {
			requests++
		}
		moved = moved || m.Progress != nil && answers[i].Status != exchange.StatusRejected
	}
	perEvent := true
	for i, m := range batch {
		if !mayReserve(m, answers[i]) || len(answers[i].Interests) == 0 {
			continue
		}
		p := placesResult{state: opportunity.PlacesNotKnown}
		if held != nil {
			e := s.placesEvidence(i, batch, answers)
			e.IsReservationValid, e.IsAlone = held.Valid, requests == 1 && !hadReservation
			p.state = e.State()
			if moved && held.Valid && p.state == opportunity.PlacesNotHeld { // a trigger of the transition may have used up the places
				p.state = opportunity.PlacesNotKnown
			}
		}
		isValid := held != nil && held.Valid
		if p.state != opportunity.PlacesHeld && (held == nil || isValid) {
			if perEvent = perEvent && placesPerEvent(); !perEvent {
				p.state = ""
			}
		}
		if isValid && (p.state == opportunity.PlacesHeld || p.state == "") {
			p.heldUntil = &held.Until
		}
		results[i] = p
	}
	return results
}

func mayReserve(m exchange.Change, answer exchange.ChangeResult) bool {
	return m.Interest != nil && m.Interest.Reserve && (answer.Status == exchange.StatusDone || answer.Status == exchange.StatusUnknown)
}

// placesEvidence collects the facts about the places on the event of the change at i.
func (s *State) placesEvidence(i int, batch []exchange.Change, answers []exchange.ChangeResult) exchange.PlacesEvidence {
	name := batch[i].Interest.Item
	event := cmp.Or(string(answers[i].Interests[0].Item), name)
	e, isKnown := exchange.PlacesEvidence{Reserved: answers[i].Reserved}, true
	for j, m := range batch {
		if !mayReserve(m, answers[j]) {
			continue
		}
		if len(answers[j].Interests) > 0 && answers[j].Interests[0].Item == opportunity.ID(event) || m.Interest.Item == event || m.Interest.Item == name {
			e.Requested += m.Interest.Quantity
			isKnown = isKnown && answers[j].Status == exchange.StatusDone
		}
	}
	e.Own = e.Requested
	for _, held := range s.Interests {
		if held.Reserve && (held.Item == event || held.Item == name) {
			e.Own += held.Quantity
		}
	}
	if !isKnown {
		e.Requested = 0
	}
	return e
}

// ApplyRejectedRequest handles an API request that was rejected as a whole, so that none of its
// changes was made. If the API request contained only one requested change, this change is
// rejected. Several requested changes are sent again one by one, to find the change that fails. An
// expiry that Oppflow added to the requested change is not rejected, because places that were
// reserved earlier still need the expiry.
func (s *State) ApplyRejectedRequest(batch []exchange.Change, reason *opportunity.Error, now time.Time) {
	s.RecordSeenAt = time.Time{}
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
	s.ApplyResults(batch, answers, func() bool { return true }, now)
}

// FailNames ends the requests of the batch that use a name for which no id or several ids were
// found. In an addInterests command, FailNames ends only the interests with an unresolved name.
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

// applyNameFailures applies the results of a batch that was not sent, and stores nothing about the
// reservation.
func (s *State) applyNameFailures(batch []exchange.Change, answers []exchange.ChangeResult, now time.Time) {
	for i, m := range batch {
		at := slices.IndexFunc(s.Queue, func(e queue.Command) bool { return e.Request == m.Request })
		if at >= 0 && answers[i].Status == exchange.StatusRejected {
			s.applyResult(at, m, answers[i], placesResult{}, now)
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
