// Package determinism tests that the two checks of workflow code work: the linter's rule against
// the clock, and workflowcheck. The package tests the pinned versions with the project's own
// configuration, and contains tests only.
package determinism
