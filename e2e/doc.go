// Package e2e tests Oppflow on real parts: a Temporal server, the sandbox with its database, and
// workers. Each part is a process that a test can stop and kill. The package holds tests only.
package e2e
