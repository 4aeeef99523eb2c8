// Package people decides which contact of the TMS is the contact of a person. The package is pure:
// callers pass the contacts that they read, and the package sends nothing.
package people
