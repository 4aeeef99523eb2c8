// Package places finds out on which events the places of an opportunity are reserved. For an
// opportunity, the API shows only whether any place is reserved. For an event, the API shows only
// how many places all opportunities together have reserved.
package places
