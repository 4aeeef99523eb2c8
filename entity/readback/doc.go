// Package readback decides which changes were made, from a read of the record. A run needs this
// decision when the response to a request was lost, and after a reset of the run.
//
// The package is pure. It knows the changes, the record, and what the run knew before. It does not
// know the queue, and it changes no state. Only package entity may import this package.
package readback
