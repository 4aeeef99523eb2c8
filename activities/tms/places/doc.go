// Package places finds out on which events the places of an opportunity are reserved. The API shows
// of an opportunity only whether any place is reserved. The API shows of an event only how many
// places all opportunities have reserved.
package places
