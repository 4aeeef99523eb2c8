//go:build !unix

package testrun

// LowerPriority does nothing on systems where a process has no priority of this kind.
func LowerPriority() error { return nil }
