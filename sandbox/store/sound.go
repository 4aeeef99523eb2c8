//go:build !sandboxbroken

package store

// broken is false: mistakes on purpose are built in by the tag sandboxbroken only.
func broken(string) bool { return false }
