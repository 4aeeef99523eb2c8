// Package opportunity is the contract with callers: references and ids, money, interests, steps,
// the messages that callers send, their outcomes, and the view of one opportunity.
//
// The package is pure: it reads no clock, uses no network, and does not depend on the Temporal SDK
// or the GraphQL API. The package may not import another package of this module.
//
// The JSON tags of the exported types are the contract with callers, so a changed tag is a
// breaking change.
package opportunity
