// Package readback decides which changes were made, from a read of the record. A run needs this
// decision when the response to an API request was lost, and after a reset.
//
// The package does not use the queue, and it changes no state. Only package entity may import this
// package.
package readback
