// Package entity is the state machine of one opportunity: what one run knows of its
// opportunity, and the rules that change this state. [State] is composed of components, and
// [State.Next] decides what the run does next.
//
// The package is pure. Rules are functions of plain data. Nothing here reads a clock, talks
// to a network, or knows the Temporal SDK or the GraphQL API. Time is always a parameter. Only
// package workflows may import it.
package entity
