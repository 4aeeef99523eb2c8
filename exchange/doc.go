// Package exchange contains the data that a workflow and its activities exchange: changes of the
// record with their results, snapshots of the record, features and plans of a playbook, and
// requests of effects.
//
// The package is pure, and imports only package opportunity. Temporal's histories contain the
// JSON of these types, so a member keeps its name and its meaning for ever. Callers never see
// this JSON.
package exchange
