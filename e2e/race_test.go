//go:build race

package e2e_test

// race says that the tests run under the race detector; the parts then do too.
const race = true
