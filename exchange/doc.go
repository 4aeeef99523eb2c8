// Package exchange is what the workflow of an opportunity and its activities exchange: changes
// of the record and their results, snapshots of the record, the features and the plans of a
// playbook, and requests of effects.
//
// The package is pure, and imports only package opportunity. Its JSON is in histories, so a
// member keeps its name and its meaning for ever. Callers never see it.
package exchange
