//go:build race

package chaos_test

// race says that the tests run under the race detector; the parts then do too.
const race = true
