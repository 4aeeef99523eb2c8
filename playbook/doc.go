// Package playbook is a tenant's rules as data: which side effects go with a move
// from step to step, and which follow-ups a step asks for. It loads a playbook
// from YAML, tells every mistake in it at once, explains it in words, and plans
// what is to be done about one opportunity at one moment.
//
// It is pure. A plan is a function of the playbook and the facts it is given: the
// same facts give the same plan, on every machine. Nothing here reads a clock or
// a file, talks to a network or knows the Temporal SDK; of this module it may
// import the room opportunity only. What is planned is carried out elsewhere.
package playbook
