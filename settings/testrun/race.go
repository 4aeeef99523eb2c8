//go:build race

package testrun

// Race says that the tests run with the race detector.
const Race = true
