//go:build !race

package testrun

// Race reports whether the tests run with the race detector.
const Race = false
