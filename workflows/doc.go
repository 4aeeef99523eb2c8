// Package workflows holds the workflows for opportunities, for the adoption of records and for the
// namespace. Everything in the package is deterministic: the code runs activities and applies their
// results. It does no I/O, reads no clock but the workflow's, and leaves the decisions about an
// opportunity to package entity.
package workflows
