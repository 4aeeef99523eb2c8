// Package entity is the state machine of one opportunity. The type [State] is composed of
// components, and [State.Next] decides what the run does next.
//
// No code of this package reads a clock, uses a network, or imports the Temporal SDK or a GraphQL
// client. Time is always a parameter. Only package workflows may import this package.
package entity
