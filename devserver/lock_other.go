//go:build !unix

package main

// lockFile does nothing on systems that cannot lock files this way.
func lockFile(string) (release func(), err error) { return func() {}, nil }
