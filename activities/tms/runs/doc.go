// Package runs reads the runs of a workflow: the current run, and the earlier runs of a reference.
// The package knows the Temporal client. It never sends a request to the API of the TMS.
package runs
