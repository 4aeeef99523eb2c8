// Package host assembles a worker from settings and runs the worker. A worker consists of a
// connection to Temporal, a client of the Administrate API, one SDK worker for the workflows and
// one SDK worker for the activities, which call the API. The package also prepares a Temporal
// namespace for Oppflow.
package host
