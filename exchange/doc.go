// Package exchange contains the data that a workflow and its activities exchange: changes of the
// record with their results, snapshots of the record, features and plans of a playbook, and
// requests of effects.
//
// The package has no side effects, and imports only package opportunity. Temporal's histories
// contain the JSON form of these types, so a member must never change its name or meaning. Callers
// never see the JSON form of these types.
package exchange
