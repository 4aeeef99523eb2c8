// Package determinism proves that the two guards of workflow code, the
// linter's ban on the clock and workflowcheck, still find what they are for
// with the pinned versions and the project's own configuration. It holds tests
// only.
package determinism
