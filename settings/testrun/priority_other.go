//go:build !unix

package testrun

// LowerPriority does nothing where a process has no priority of that kind.
func LowerPriority() error { return nil }
