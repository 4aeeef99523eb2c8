// Package runs reads the runs of a workflow: the current run and the earlier runs of the reference.
// The package never sends a request to the API of the TMS.
package runs
