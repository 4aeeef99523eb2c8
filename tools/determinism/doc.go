// Package determinism tests that both checks of workflow code work: the linter's rule that forbids
// the clock, and the tool workflowcheck. The package tests the tool versions that tools/go.mod
// requires, with Oppflow's own configuration.
package determinism
