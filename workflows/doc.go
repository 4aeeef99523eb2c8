// Package workflows contains the workflows for opportunities, for the adoption of records and for
// the namespace. All code in the package is deterministic: the code schedules activities and
// applies their results. The code of the package does no I/O and reads only the workflow's clock.
// Package entity makes the decisions about an opportunity.
package workflows
