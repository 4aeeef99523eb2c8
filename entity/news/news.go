// Package news says in words how a read of a record differs from the record that the run knows. Only
// package entity may import this package.
package news

import (
	"fmt"
	"strings"

	"github.com/oppflow/oppflow/opportunity"
)

// OfCurrency says what a new currency means for the interests. OfCurrency returns "" when the currency
// stays the same or is unknown, and when there are no interests. The API does not convert amounts: an interest keeps its figure, and
// the figure then counts in the new currency (assumed).
func OfCurrency(known, read string, interests int) string {
	if interests == 0 || known == "" || read == "" || read == known {
		return ""
	}
	return fmt.Sprintf("the currency changed from %s to %s; the amounts of the interests keep their figures", known, read)
}

// OfDetails says which known details a person changed in the TMS, or returns "". A detail that the
// read did not return does not count as changed. currency is the text from OfCurrency.
func OfDetails(known, read opportunity.Details, currency string) string {
	var parts []string
	if known.Name != "" && read.Name != "" && read.Name != known.Name {
		parts = append(parts, "the name changed")
	}
	if read.Account.ID != "" && read.Account.ID != known.Account.ID {
		parts = append(parts, "the account changed")
	}
	if currency != "" {
		parts = append(parts, currency)
	}
	return strings.Join(parts, ", ")
}

// OfInterests says how many interests were found, removed and changed.
func OfInterests(found, removed, changed int) string {
	var parts []string
	for _, part := range []struct {
		count     int
		one, many string
	}{{found, "was added", "were added"}, {removed, "was removed", "were removed"}, {changed, "has a changed quantity or price", "have a changed quantity or price"}} {
		switch {
		case part.count == 1:
			parts = append(parts, "1 interest "+part.one)
		case part.count > 1:
			parts = append(parts, fmt.Sprintf("%d interests %s", part.count, part.many))
		}
	}
	return strings.Join(parts, ", ")
}
