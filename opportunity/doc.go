// Package opportunity is the vocabulary of Oppflow: references and ids, money,
// interests, steps, the commands that callers send, and their outcomes. It also
// holds the state of one opportunity and the rules that change the state.
//
// The package is pure. Rules are functions of plain data. Nothing here reads a
// clock, talks to a network, or knows the Temporal SDK or the GraphQL API. Nothing
// here may import another package of this module. Time is always a parameter.
//
// The JSON tags of the exported types are the contract with callers, so a changed
// tag is a breaking change.
package opportunity
