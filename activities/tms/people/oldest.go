package people

import (
	"cmp"
	"math/big"
	"slices"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// Oldest returns the contact that was created first, or "" when contacts is empty. The API does not
// show when a contact was created, so Oldest assumes that the API assigns ascending keys, and
// compares the keys in the ids.
func Oldest(contacts []administrate.Contact) opportunity.ID {
	if len(contacts) == 0 {
		return ""
	}
	key := func(c administrate.Contact) *big.Int {
		n, ok := new(big.Int).SetString(opportunity.ID(c.ID).Key(), 10)
		if !ok {
			return big.NewInt(0)
		}
		return n
	}
	first := slices.MinFunc(contacts, func(a, b administrate.Contact) int { return cmp.Or(key(a).Cmp(key(b)), cmp.Compare(a.ID, b.ID)) })
	return opportunity.ID(first.ID)
}
