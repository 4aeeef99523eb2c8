// Package record reads a record with its interests and their events, and turns the record into the
// facts of a playbook.
package record
