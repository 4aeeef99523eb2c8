// Package tms implements the activities over the Administrate API. It is the only code of
// the worker that touches the outside. It keeps only a cache of names and decides nothing
// about the course of an opportunity. One activity sends at most one request that changes
// something.
package tms
