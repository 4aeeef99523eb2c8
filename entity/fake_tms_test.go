package entity_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// fakeTMS is a TMS in memory. fakeTMS makes the changes of a request in order, and remembers each
// change in order to detect changes that are made twice or out of order.
type fakeTMS struct {
	now               time.Time
	interests         []exchange.InterestRef
	madeBy            map[opportunity.ID]string // the change that made each interest
	log               []string
	step              opportunity.Step
	name              string
	reserved          map[opportunity.ID]bool // interests whose places are reserved
	until             time.Time               // when the places expire; zero: never, because no expiry was set
	expiries          []requestedExpiry       // the requested expiries, in order
	lastExpiryRequest string                  // the request of the last expiry, when no place was requested after that expiry
	rejects           map[string]bool         // changes that the TMS rejects
	rejectsRequest    map[string]bool         // changes whose requests the TMS rejects as a whole
	returnsAll        bool                    // the TMS returns all interests, not only the new one
}

const byHand = "by hand"

type requestedExpiry struct {
	change string
	until  time.Time // zero: the expiry was rejected, or no places were reserved
}

func changeKey(m exchange.Change) string {
	if m.ReservationChange != nil && m.ReservationChange.Until.IsZero() {
		return "extend"
	}
	return fmt.Sprintf("%s/%d", m.Request, m.Index)
}

// After its expiry a reservation cannot be extended any more.
func (r *fakeTMS) expireReservation() {
	if !r.until.IsZero() && !r.until.After(r.now) || len(r.reserved) == 0 {
		r.reserved, r.until = map[opportunity.ID]bool{}, time.Time{}
	}
}

func (r *fakeTMS) reservation() opportunity.Reservation {
	r.expireReservation()
	return opportunity.Reservation{Valid: !r.until.IsZero(), Until: r.until}
}

func (r *fakeTMS) apply(m exchange.Change) exchange.ChangeResult {
	r.expireReservation()
	if m.Interest != nil && m.Interest.Reserve {
		r.lastExpiryRequest = ""
	}
	if r.rejects[changeKey(m)] {
		if m.ReservationChange != nil {
			r.expiries = append(r.expiries, requestedExpiry{change: changeKey(m)})
		}
		return rejectedResult("Refused")
	}
	if m.Progress != nil && m.Progress.To == string(r.step.ID) { // a transition connects two steps
		return rejectedResult("Transition Not Found")
	}
	r.log = append(r.log, changeKey(m))
	switch {
	case m.Interest != nil:
		added := interestRef(id("OpportunityInterest", len(r.madeBy)+1), opportunity.ID(m.Interest.Item))
		r.interests = append(r.interests, added)
		r.madeBy[added.ID] = changeKey(m)
		if m.Interest.Reserve {
			r.reserved[added.ID] = true
		}
		answer := exchange.ChangeResult{Status: exchange.StatusDone, Interests: []exchange.InterestRef{added}}
		if r.returnsAll {
			answer.Interests = slices.Clone(r.interests)
		}
		return answer
	case m.Progress != nil:
		r.step = opportunity.Step{ID: opportunity.ID(m.Progress.To), Name: m.Progress.To, Stage: proposed.Stage}
		step := r.step
		return exchange.ChangeResult{Status: exchange.StatusDone, Step: &step}
	case m.Update != nil:
		r.name = m.Update.Name
		return exchange.ChangeResult{Status: exchange.StatusDone, Details: &opportunity.Details{Name: r.name}}
	}
	if len(r.reserved) > 0 { // without places, the TMS sets nothing and returns no error
		switch {
		case m.ReservationChange.Release:
			r.until = r.now
		case !m.ReservationChange.Until.IsZero():
			r.until, r.lastExpiryRequest = m.ReservationChange.Until, m.Request
		default: // the activity sets this time
			r.until = r.now.AddDate(0, 0, 14)
			if r.until.Before(m.ReservationChange.NotBefore) {
				r.until = m.ReservationChange.NotBefore
			}
		}
	}
	r.expiries = append(r.expiries, requestedExpiry{changeKey(m), r.until})
	held := r.reservation()
	return exchange.ChangeResult{Status: exchange.StatusDone, Reservation: &held}
}

// addByHand adds an interest by hand.
func (r *fakeTMS) addByHand(item opportunity.ID) {
	added := interestRef(id("OpportunityInterest", len(r.madeBy)+1), item)
	r.interests = append(r.interests, added)
	r.madeBy[added.ID] = byHand
}

func (r *fakeTMS) snapshot() exchange.Snapshot {
	return exchange.Snapshot{
		ID: record, Details: opportunity.Details{Name: r.name}, Step: r.step,
		Interests: slices.Clone(r.interests), Reservation: r.reservation(),
	}
}

// wasReserved reports whether the places were reserved as the change requested. The request is also
// fulfilled by a later request for another expiry, or by an expiry that no caller requested and
// that is not earlier than the requested expiry. wasReserved accepts an expiry that was replaced
// before a read showed the expiry, because the test cannot check such an expiry.
func (r *fakeTMS) wasReserved(change string, until time.Time) bool {
	tried := false
	for _, e := range r.expiries {
		tried = tried || e.change == change
		if tried && !e.until.IsZero() && (e.change != "extend" || !e.until.Before(until)) {
			return true
		}
	}
	return false
}

func (r *fakeTMS) count(change string) int {
	n := 0
	for _, made := range r.log {
		if made == change {
			n++
		}
	}
	return n
}
