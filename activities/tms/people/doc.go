// Package people decides which contact of the TMS is the contact of a person.
package people
