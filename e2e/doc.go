// Package e2e tests Oppflow on real parts: a Temporal server, the sandbox with its database, and
// workers.
package e2e
