// Package people decides which contact of the TMS is the contact of a person. The package is pure: it
// gets the contacts that were read, and sends nothing.
package people
