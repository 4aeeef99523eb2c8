// Package host assembles a worker from settings and runs the worker. A worker has a connection to
// Temporal, a client of the Administrate API, one SDK worker for the workflows and one SDK worker
// for the calls of the API. The package also prepares a namespace for Oppflow.
package host
