// Package e2e tries Oppflow on real parts: a Temporal server, the sandbox with
// its database, and workers, each a process of its own that can be stopped and
// killed. It holds tests only.
package e2e
