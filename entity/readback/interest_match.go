package readback

import (
	"encoding/json"
	"slices"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// matchInOrder matches the interests of the record (there) with the requested interests (asked).
// shown[i] is the interest of the record that must be the effect of asked[i], or nil. The interests
// in there must have the order of asked, and may lack some requested interests. If an interest of
// the record may be the effect of several different requested interests, shown is nil for all these
// requested interests, and unique is false. If the interests of the record do not match requested
// interests in this order, the result shown is nil.
func matchInOrder(there []exchange.InterestRef, asked []ExpectedInterest) (shown []*exchange.InterestRef, unique bool) {
	first, last := make([]int, len(there)), make([]int, len(there)) // for each interest in there, the first and the last possible index in asked
	at := 0
	for n, ref := range there {
		for ; at < len(asked) && !asked[at].Matches(ref); at++ {
		}
		if at == len(asked) {
			return nil, false
		}
		first[n] = at
		at++
	}
	at = len(asked) - 1
	for n, ref := range slices.Backward(there) {
		for ; !asked[at].Matches(ref); at-- {
		}
		last[n] = at
		at--
	}
	shown, unique = make([]*exchange.InterestRef, len(asked)), true
	for n, ref := range there {
		different := func(other ExpectedInterest) bool {
			return other.Matches(ref) && other.content != asked[first[n]].content
		}
		if slices.ContainsFunc(asked[first[n]:last[n]+1], different) {
			unique = false
			continue
		}
		shown[first[n]] = &there[n]
	}
	return shown, unique
}

// ExpectedInterest is a requested interest, reduced to the facts that distinguish it from other
// interests.
type ExpectedInterest struct {
	item       opportunity.ID // "" when it is not known
	quantity   int
	unitAmount opportunity.Amount
	content    string
}

// ExpectedInterestOf returns the interest that the change adds.
func ExpectedInterestOf(m exchange.Change, resolved map[exchange.UnresolvedName]opportunity.ID) ExpectedInterest {
	e := ExpectedInterest{item: opportunity.ID(m.Interest.Item), quantity: m.Interest.Quantity, unitAmount: m.Interest.UnitAmount}
	if names := m.Names(); len(names) > 0 {
		e.item = resolved[names[0]]
	}
	if data, err := json.Marshal(m.Interest); err == nil { // plain data, so there is no error
		e.content = string(data)
	}
	return e
}

// Matches reports whether all facts that were read of the record's interest agree with the expected
// interest.
func (e ExpectedInterest) Matches(ref exchange.InterestRef) bool {
	return ref.Item != "" && ref.Item == e.item &&
		(ref.Quantity == 0 || ref.Quantity == e.quantity) &&
		(ref.UnitAmount == nil || ref.UnitAmount.Equal(e.unitAmount))
}

// IsUniquePrefix reports whether the interests in there must be the effect of the first interests
// in asked. All known facts of an interest must agree. Every other match must be impossible, or
// must only exchange interests that are equal in all facts.
func IsUniquePrefix(there []exchange.InterestRef, asked []ExpectedInterest) bool {
	if len(there) > len(asked) {
		return false
	}
	for n, ref := range there {
		if !asked[n].Matches(ref) {
			return false
		}
	}
	// An interest of the record may be the effect of any matching requested interest at its own
	// index or later. The index of the requested interest must leave room for the later interests
	// of the record. If several requested interests match one interest of the record, these
	// requested interests must be equal.
	last := len(asked)
	for n := len(there) - 1; n >= 0; n-- {
		for last--; !asked[last].Matches(there[n]); {
			last--
		}
		for _, other := range asked[n : last+1] {
			if other.Matches(there[n]) && other.content != asked[n].content {
				return false
			}
		}
	}
	return true
}
