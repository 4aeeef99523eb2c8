// Package workflows holds the workflows for opportunities, for the adoption of records and for the
// namespace. Everything in the package is deterministic: the code runs activities and applies their
// results. The code does no I/O and reads only the workflow's clock. Package entity makes the
// decisions about an opportunity.
package workflows
