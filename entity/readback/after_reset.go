package readback

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Backlog contains every change that waits after a reset, in the order of the queue. The zero value
// is empty.
type Backlog struct {
	Changes  []exchange.Change
	arrivals []Arrival // one for each change
}

// Arrival says when and how a message arrived.
type Arrival struct {
	// FromUpdate says that the message came as an update, not as a signal.
	FromUpdate bool
	Accepted   time.Time
}

// Add appends a change of a message with the given arrival.
func (b *Backlog) Add(m exchange.Change, arrival Arrival) {
	b.Changes, b.arrivals = append(b.Changes, m), append(b.arrivals, arrival)
}

// isBefore reports whether the change at i was certainly requested before the change at j. After a
// reset, Temporal delivers all messages again at once, with the signals first.
func (b Backlog) isBefore(i, j int) bool {
	return i < j && (b.arrivals[i].FromUpdate == b.arrivals[j].FromUpdate || b.arrivals[i].Accepted.Before(b.arrivals[j].Accepted))
}

// DecideAfterReset decides all changes that wait after a reset, from a read of the record. The run
// before the reset may have sent a part of the waiting changes, but the state of that run is lost.
// Call DecideAfterReset only when no request of the run before the reset can still be in flight.
// Before the call, end the requests whose names cannot be resolved, because these requests were
// never sent. The results have the order of the changes in the backlog.
//
// Interests are matched by their items. Every interest of the record that was not known before
// counts as the effect of a waiting change of the same item. If the record has more new interests
// in an item than requested, the changes of the item stay unknown. If the record has fewer new
// interests in an item than requested, the changes are decided only if the requested interests are
// equal in all facts that a read does not show. A transition counts as done when the record is in
// its target step, and no other waiting transition has that target step. Details and expiries count
// as done when the record shows them. Details and expiries also count as done when other changes
// that count as done may have overwritten them.
//
// The run before the reset executed the messages in their order. A change that took effect proves
// that the earlier changes were sent. A change that was certainly sent stays unknown if the record
// does not show the change, because the API may have rejected the change or a person may have
// undone the change. A change that is neither done nor unknown counts as not sent. If the API
// rejected a change before the reset, the API rejects the change again.
//
// The parameter from is the step of the record that the run knew, or "" when the run knew no step.
//
// The function isTransitive returns false for a run that a worker of an earlier version began. In a
// run of an earlier version, an update counts as done only if the record shows all details of the
// updates that overwrote the update. DecideAfterReset calls isTransitive only when the results
// depend on the returned value.
func (k Known) DecideAfterReset(b Backlog, from opportunity.ID, record exchange.Snapshot, resolved map[exchange.UnresolvedName]opportunity.ID, isTransitive func() bool) []exchange.ChangeResult {
	answers := make([]exchange.ChangeResult, len(b.Changes))
	for i := range answers {
		answers[i].Status = exchange.StatusUnknown
	}
	k.readBackInterestsAfterReset(b, answers, record, resolved)
	b.readBackTransitions(answers, from, record, resolved)
	took := slices.Clone(answers)
	b.readBackUpdates(answers, record, resolved, isTransitive)
	for i := range slices.Backward(b.Changes) {
		if b.Changes[i].ReservationChange != nil {
			answers[i] = b.readBackExpiry(i, record)
			continue // to set an expiry again does no harm
		}
		if answers[i].Status == exchange.StatusNotSent && b.wasSent(i, took) {
			answers[i].Status = exchange.StatusUnknown
		}
	}
	b.resendLaterUpdates(answers)
	return answers
}

// resendLaterUpdates handles an update that is sent again. resendLaterUpdates then also sends each
// later update of the same details again, even if the record shows the details of the later update.
// The record may have had the same details before both updates were made.
func (b Backlog) resendLaterUpdates(answers []exchange.ChangeResult) {
	for i, m := range b.Changes {
		if m.Update == nil || answers[i].Status == exchange.StatusDone {
			continue
		}
		for j := i + 1; j < len(answers); j++ {
			if later := b.Changes[j].Update; later != nil && answers[j].Status == exchange.StatusDone && without(*m.Update, *later) != *m.Update {
				answers[j] = exchange.ChangeResult{Status: exchange.StatusNotSent}
			}
		}
	}
}

// wasSent reports whether a change that was certainly requested after the change at i took effect.
func (b Backlog) wasSent(i int, answers []exchange.ChangeResult) bool {
	for j := range answers {
		if answers[j].Status == exchange.StatusDone && b.isBefore(i, j) {
			return true
		}
	}
	return false
}

func (k Known) readBackInterestsAfterReset(b Backlog, answers []exchange.ChangeResult, record exchange.Snapshot, resolved map[exchange.UnresolvedName]opportunity.ID) {
	there := make(map[opportunity.ID][]exchange.InterestRef)
	for _, ref := range record.Interests {
		if !k.InterestIDs[ref.ID] {
			there[ref.Item] = append(there[ref.Item], ref)
		}
	}
	asked := make(map[opportunity.ID][]int)
	wishes := make([]ExpectedInterest, len(b.Changes))
	var items []opportunity.ID
	for i, m := range b.Changes {
		if m.Interest == nil {
			continue
		}
		wishes[i] = ExpectedInterestOf(m, resolved)
		item := wishes[i].item
		if asked[item] == nil {
			items = append(items, item)
		}
		asked[item] = append(asked[item], i)
	}
	for _, item := range items {
		places := asked[item]
		of := make([]ExpectedInterest, len(places))
		for n, i := range places {
			of[n] = wishes[i]
		}
		if item == "" || !IsUniquePrefix(there[item], of) {
			continue
		}
		for n, i := range places {
			if n < len(there[item]) {
				answers[i] = exchange.ChangeResult{Status: exchange.StatusDone, Interests: there[item][n : n+1]}
			} else {
				answers[i] = exchange.ChangeResult{Status: exchange.StatusNotSent}
			}
		}
	}
}

// When the record is in the step from, no transition was made, or the made transitions led back to
// that step.
func (b Backlog) readBackTransitions(answers []exchange.ChangeResult, from opportunity.ID, record exchange.Snapshot, resolved map[exchange.UnresolvedName]opportunity.ID) {
	var moves, there []int
	for i, m := range b.Changes {
		if m.Progress == nil {
			continue
		}
		moves = append(moves, i)
		if stepID(*m.Progress, resolved) == record.Step.ID {
			there = append(there, i)
		}
	}
	stays := record.Step.ID == from
	if len(there) == 0 && !stays && from != "" {
		return // a person changed the step, before or after the transitions
	}
	if stays && len(there) == 1 && !slices.ContainsFunc(moves, func(i int) bool { return i != there[0] && !b.isBefore(there[0], i) }) {
		there = nil // a transition to the current step changes nothing, see Decide
	}
	for _, i := range moves {
		switch {
		case slices.Equal(there, []int{i}) && !stays:
			answers[i] = exchange.ChangeResult{Status: exchange.StatusDone, Step: &record.Step}
		case !slices.ContainsFunc(there, func(t int) bool { return !b.isBefore(t, i) }):
			answers[i].Status = exchange.StatusNotSent
		}
	}
}

func stepID(p opportunity.Progress, resolved map[exchange.UnresolvedName]opportunity.ID) opportunity.ID {
	if id, named := resolved[exchange.UnresolvedName{Type: opportunity.TypeStep, Text: p.To}]; named {
		return id
	}
	return opportunity.ID(p.To)
}

// readBackUpdates decides for each update whether the record shows its details. An update also
// counts as done when updates that are done may have overwritten all of its missing details. The
// function isTransitive says whether an overwritten update can itself overwrite other updates, see
// DecideAfterReset.
func (b Backlog) readBackUpdates(answers []exchange.ChangeResult, record exchange.Snapshot, resolved map[exchange.UnresolvedName]opportunity.ID, isTransitive func() bool) {
	missing := make([]opportunity.UpdateDetails, len(b.Changes))
	var done []int
	for i, m := range b.Changes {
		if m.Update == nil {
			continue
		}
		missing[i] = missingFrom(*m.Update, record.Details, resolved)
		if missing[i] == (opportunity.UpdateDetails{}) {
			done = append(done, i)
		}
		answers[i] = exchange.ChangeResult{Status: exchange.StatusNotSent}
	}
	for round := 1; ; round++ {
		overwritten := b.overwrittenUpdates(missing, done)
		if len(overwritten) == 0 || round > 1 && !isTransitive() {
			break
		}
		done = append(done, overwritten...)
	}
	for _, i := range done {
		answers[i] = exchange.ChangeResult{Status: exchange.StatusDone, Details: &record.Details}
	}
}

// overwrittenUpdates returns the updates whose missing details were all set by the updates in done.
// overwrittenUpdates does not return an update that is itself done. An update that certainly came
// earlier cannot have overwritten a later update.
func (b Backlog) overwrittenUpdates(missing []opportunity.UpdateDetails, done []int) []int {
	var overwritten []int
	for i, m := range b.Changes {
		if m.Update == nil || slices.Contains(done, i) {
			continue
		}
		left := missing[i]
		for _, j := range done {
			if !b.isBefore(j, i) {
				left = without(left, *b.Changes[j].Update)
			}
		}
		if left == (opportunity.UpdateDetails{}) {
			overwritten = append(overwritten, i)
		}
	}
	return overwritten
}

func missingFrom(u opportunity.UpdateDetails, details opportunity.Details, resolved map[exchange.UnresolvedName]opportunity.ID) opportunity.UpdateDetails {
	named := func(typ, text string) opportunity.ID {
		if id, known := resolved[exchange.UnresolvedName{Type: typ, Text: text}]; known {
			return id
		}
		return opportunity.ID(text)
	}
	missing := opportunity.UpdateDetails{Name: u.Name, Account: u.Account, Currency: u.Currency}
	if u.Name == details.Name {
		missing.Name = ""
	}
	if named(opportunity.TypeAccount, u.Account) == details.Account.ID {
		missing.Account = ""
	}
	if string(named(exchange.TypeCurrency, u.Currency)) == details.Currency {
		missing.Currency = ""
	}
	return missing
}

func without(u, other opportunity.UpdateDetails) opportunity.UpdateDetails {
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

// readBackExpiry decides whether the record shows the expiry. The expiry also counts as done when
// the record shows another expiry that may have been set later. A second send of the requested
// expiry would undo the other expiry.
func (b Backlog) readBackExpiry(i int, record exchange.Snapshot) exchange.ChangeResult {
	shows := func(j int) bool {
		return record.Reservation.Until.Sub(b.Changes[j].ReservationChange.Until).Abs() <= opportunity.ExpiryTolerance
	}
	for j, m := range b.Changes {
		if m.ReservationChange != nil && (j == i || !b.isBefore(j, i)) && shows(j) {
			return exchange.ChangeResult{Status: exchange.StatusDone, Reservation: &opportunity.Reservation{Valid: true, Until: b.Changes[i].ReservationChange.Until}}
		}
	}
	return exchange.ChangeResult{Status: exchange.StatusNotSent}
}
