package administrate

import "context"

// List asks for a list from a cursor on; the zero value from its beginning.
type List struct{ After string }

// Wanted is what Lookup is to find, in one request. Texts are compared by the
// API (operation eq), so whether case matters is the tenant's database's
// affair: compare what comes back.
type Wanted struct {
	Steps      *List
	Regions    *List // assumed: see Assumptions.Regions
	Currencies *List
	Accounts   []string // names
	Items      []string // codes, titles or names of things to sell
}

// Found is what Lookup found. A list of Wanted that has more than 100 rows is
// here in part; Next then asks for the rest and is nil otherwise.
type Found struct {
	Steps      []Step
	Regions    []Named
	Currencies []Currency
	Accounts   map[string][]Named // by the text asked for; at most 10 each
	Items      map[string][]Item  // by the text asked for; at most 10 of a kind each
	Next       *Wanted
}

// Lookup resolves names to ids: all that is wanted in one request, as aliases
// at the root of one query.
func (c *Client) Lookup(ctx context.Context, w Wanted) (Found, error) { return Found{}, nil }
