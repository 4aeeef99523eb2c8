// Package host assembles a worker from settings and runs it: the connection to Temporal, the client
// of the Administrate API, one SDK worker for the workflows and one for the calls of the API. The
// package also prepares a namespace for Oppflow.
//
// The package decides nothing about opportunities: other packages contain the workflows and the
// activities.
package host
