package readback

import (
	"encoding/json"
	"slices"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// matchInOrder returns, for each interest of asked, the interest of there that must be the asked
// interest, or nil when there is none. The interests of there are a part of the asked interests, in
// the order of asked. When an interest of there may be one of several asked interests, which are
// not equal in all facts, matchInOrder returns nil for these asked interests, and false.
// matchInOrder returns nil instead of the list when the interests of there cannot all be asked
// interests.
func matchInOrder(there []exchange.InterestRef, asked []ExpectedInterest) (shown []*exchange.InterestRef, unique bool) {
	first, last := make([]int, len(there)), make([]int, len(there)) // the first and the last asked one that each may be
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

// ExpectedInterest is a requested interest, reduced to the facts that distinguish it from
// others.
type ExpectedInterest struct {
	item       opportunity.ID // "" when it is not known
	quantity   int
	unitAmount opportunity.Amount
	content    string
}

// ExpectedInterestOf returns the interest that the change adds. resolved maps names of items to their
// ids.
func ExpectedInterestOf(m exchange.Change, resolved map[exchange.UnresolvedName]opportunity.ID) ExpectedInterest {
	e := ExpectedInterest{item: opportunity.ID(m.Interest.Item), quantity: m.Interest.Quantity, unitAmount: m.Interest.UnitAmount}
	if names := m.Names(); len(names) > 0 {
		e.item = resolved[names[0]]
	}
	if data, err := json.Marshal(m.Interest); err == nil { // plain data
		e.content = string(data)
	}
	return e
}

// Matches reports whether the interest of the record may be the requested one, by all facts that
// were read.
func (e ExpectedInterest) Matches(ref exchange.InterestRef) bool {
	return ref.Item != "" && ref.Item == e.item &&
		(ref.Quantity == 0 || ref.Quantity == e.quantity) &&
		(ref.UnitAmount == nil || ref.UnitAmount.Equal(e.unitAmount))
}

// IsUniquePrefix reports whether the interests in there must be the first interests of asked. All
// facts that were read must match. No other assignment of there to asked may match, unless the
// exchanged interests are equal in all facts.
func IsUniquePrefix(there []exchange.InterestRef, asked []ExpectedInterest) bool {
	if len(there) > len(asked) {
		return false
	}
	for n, ref := range there {
		if !asked[n].Matches(ref) {
			return false
		}
	}
	// An interest in there may be any asked interest that it matches, at its own index or later.
	// The index must leave room for the interests after it. All these asked interests must be
	// equal.
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
