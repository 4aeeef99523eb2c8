// Package tms implements the activities over the Administrate API. Workflows reach the API and the
// tenant's services only through this package. The package keeps its state in memory only. One
// activity sends at most one request that changes something.
package tms
