//go:build !unix

package testrun

// LowerPriority does nothing on systems where a process has no Unix priority.
func LowerPriority() error { return nil }
