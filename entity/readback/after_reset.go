package readback

import (
	"maps"
	"slices"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Backlog holds every change that waits after a reset, in the order of the queue. The zero value is
// empty.
type Backlog struct {
	Changes  []exchange.Change
	arrivals []Arrival // one for each change
}

// Arrival is when and how a message arrived.
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
// reset, all messages arrive again at once, signals first.
func (b Backlog) isBefore(i, j int) bool {
	return i < j && (b.arrivals[i].FromUpdate == b.arrivals[j].FromUpdate || b.arrivals[i].Accepted.Before(b.arrivals[j].Accepted))
}

// DecideAfterReset decides all changes that wait after a reset, from a read of the record. The
// run before the reset may have sent a part of the waiting changes, but the state of that run is
// lost. Call DecideAfterReset only when no request of that run can be in flight any more. First
// end the requests whose names cannot be resolved, because these requests were never sent. The
// results have the order of the backlog.
//
// Interests are matched by their items. All interests of the record in an item that were not known
// before count as made. The changes of an item stay unknown when the record has more new interests
// in the item than requested. If the record has fewer new interests in the item, the changes stay
// unknown unless the requested interests are equal in all facts that cannot be read back. A
// transition counts as done when the record is in its target step, and no other transition leads to
// that step. Details and expiries count as done when the record shows them, or when changes that
// count as done and that may have come later overwrote them.
//
// The run before the reset executed the messages in their order. A change that took effect
// therefore proves that the changes before it were sent. A change that was sent and that the record
// does not show stays unknown. Either the API rejected this change or a person undid it, so to send
// it again would be a guess. All other changes count as not sent. If the API rejected such a change
// before, the API rejects it again.
//
// from is the step of the record that the run knew, "" when the run knew no step.
//
// isTransitive returns false for a run that a worker of an earlier version began. In such a run, an
// update counts as done only if the record shows all details of the updates that overwrote it.
// DecideAfterReset calls isTransitive only when its result depends on isTransitive.
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

// resendLaterUpdates also resends an update that the record shows, when an earlier update of the
// same details is sent again. The record may have shown these details before both updates.
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

// wasSent reports whether a change that was certainly requested later took effect.
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

// readBackTransitions decides transitions by the record's step. When the record is in the step
// from, either no transition was made, or the transitions led back to that step.
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
		there = nil // the first transition changes nothing, see ReadBack
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

// stepID returns the id of the target step, if it is known.
func stepID(p opportunity.Progress, resolved map[exchange.UnresolvedName]opportunity.ID) opportunity.ID {
	if id, named := resolved[exchange.UnresolvedName{Type: opportunity.TypeStep, Text: p.To}]; named {
		return id
	}
	return opportunity.ID(p.To)
}

// readBackUpdates decides whether the record shows the details of each update. An update also counts
// as done when it would only undo other updates that are done and that may have come later.
// isTransitive says whether these other updates may themselves be overwritten, see DecideAfterReset.
func (b Backlog) readBackUpdates(answers []exchange.ChangeResult, record exchange.Snapshot, resolved map[exchange.UnresolvedName]opportunity.ID, isTransitive func() bool) {
	missing := make(map[int]opportunity.UpdateDetails)
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

// overwrittenUpdates returns the updates that are not done and whose missing details the done
// updates set, too. An update that certainly came earlier cannot have overwritten another update.
func (b Backlog) overwrittenUpdates(missing map[int]opportunity.UpdateDetails, done []int) []int {
	var overwritten []int
	for _, i := range slices.Sorted(maps.Keys(missing)) {
		if slices.Contains(done, i) {
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

// missingFrom returns the details of the update that the record does not show.
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

// without returns the update without the details that the other update also sets.
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
// it would undo another expiry that the record shows and that may have come later.
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
