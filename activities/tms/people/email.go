package people

import (
	"strings"

	"github.com/oppflow/oppflow/exchange"
)

// NeedsLookup reports whether the attendee is a person without a known contact.
func NeedsLookup(attendee exchange.Attendee) bool {
	return attendee.Contact == "" && attendee.Person != nil
}

// EmailKey returns the attendee's e-mail address in lower case, because addresses that differ only
// in upper and lower case belong to one person.
func EmailKey(attendee exchange.Attendee) string { return strings.ToLower(TrimmedEmail(attendee)) }

// TrimmedEmail returns the address as the caller gave it, without white space around it.
func TrimmedEmail(attendee exchange.Attendee) string {
	return strings.TrimSpace(attendee.Person.Email)
}
