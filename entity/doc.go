// Package entity is the state machine of one opportunity. The package holds what one run knows of
// its opportunity, and the rules that change this state. The type [State] is composed of
// components, and [State.Next] decides what the run does next.
//
// The package is pure. Rules are functions of plain data. No code here reads a clock, uses a
// network, or knows the Temporal SDK or the GraphQL API. Time is always a parameter. Only package
// workflows may import this package.
package entity
