// Package testrun contains the settings of a run of the tests. All tests of a run have the short
// form, or all tests have the long form. Only package testrun reads the variables with which tests
// are configured. Only tests import package testrun.
package testrun

import "os"

const (
	// Variable is the environment variable with the form of the tests: "long", or empty for the
	// short form.
	Variable = "OPPFLOW_TESTS"
	// long is the only valid value of Variable besides the empty value.
	long = "long"
	// ciVariable is the environment variable with which continuous integration requires that no test
	// is skipped.
	ciVariable = "CI"
)

// TB is the part of [testing.TB] that this package needs.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
}

// Long reports whether tests run in their long form: chaos experiments of several minutes,
// thousands of messages, a kill at every request, properties over thousands of runs. A value of
// Variable other than "" and "long" fails the test.
func Long(t TB) bool {
	t.Helper()
	switch value := os.Getenv(Variable); value {
	case "":
		return false
	case long:
		return true
	default:
		t.Fatalf("%s is %q; the value must be empty for the short form of the tests, or %q for the long form", Variable, value, long)
		return false
	}
}

// Pick returns inShort in the short form of the tests and inLong in the long form.
func Pick[T any](t TB, inShort, inLong T) T {
	t.Helper()
	if Long(t) {
		return inLong
	}
	return inShort
}

// SkipWithout skips the test because the machine lacks a program that the test needs, such as "a
// database server". With CI=true, SkipWithout fails the test instead. missing names the program and
// says how to install the program.
func SkipWithout(t TB, missing string) {
	t.Helper()
	if os.Getenv(ciVariable) == "true" {
		t.Fatalf("this machine lacks %s; with %s=true no test may be skipped", missing, ciVariable)
	}
	t.Skipf("skipped, because this machine lacks %s", missing)
}
