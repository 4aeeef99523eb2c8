// Package determinism proves that the two guards of workflow code still work: the linter's ban on the clock, and
// workflowcheck. It tests the pinned versions with the project's own configuration. The package holds tests only.
package determinism
