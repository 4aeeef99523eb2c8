// Package opportunity is the vocabulary of Oppflow: references and ids, money,
// interests, steps, the commands callers send, the outcomes they get back, the
// state of one opportunity and the rules that move it.
//
// It is pure. Rules are functions of plain data: nothing here reads a clock,
// talks to a network, knows the Temporal SDK or the GraphQL API, and nothing
// here may import another package of this module. Time is always a parameter.
//
// The JSON tags of the exported types are the contract with callers; changing
// one is a breaking change.
package opportunity
