// Package opportunity is the contract with callers: references and ids, money, interests,
// steps, the messages that callers send, their outcomes, and the view of one opportunity.
//
// The package is pure. Nothing here reads a clock, talks to a network, or knows the Temporal
// SDK or the GraphQL API. Nothing here may import another package of this module. Time is
// always a parameter.
//
// The JSON tags of the exported types are the contract with callers, so a changed tag is a
// breaking change.
package opportunity
