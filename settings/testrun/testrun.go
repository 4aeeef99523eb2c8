// Package testrun says how a run of the tests is configured. A run uses the short or the long
// form of a test. If the machine lacks a program that a test needs, the test is skipped or
// fails. The package is the only code that reads the variables of the tests. Only tests import
// it.
package testrun

import "os"

const (
	// Variable selects the long form of the tests when its value is "long". Empty is the short
	// form.
	Variable = "OPPFLOW_TESTS"
	// long is the only valid value of Variable besides the empty value.
	long = "long"
	// ciVariable is the variable with which continuous integration requires every test to run.
	ciVariable = "CI"
)

// TB is the part of [testing.TB] that this package needs.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
}

// Long reports whether the long form is selected: chaos experiments of several minutes, thousands
// of messages, a kill at every request, properties over thousands of runs. A value of Variable
// other than "" and "long" fails the test.
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

// Pick returns the first value in the short form of the tests and the second one in the long form.
func Pick[T any](t TB, inShort, inLong T) T {
	t.Helper()
	if Long(t) {
		return inLong
	}
	return inShort
}

// SkipWithout skips the test because the machine lacks a program that the test needs, such as "a
// database server". With CI=true the test fails instead. missing names the program and says how to
// get it.
func SkipWithout(t TB, missing string) {
	t.Helper()
	if os.Getenv(ciVariable) == "true" {
		t.Fatalf("this machine lacks %s; with %s=true no test may be skipped", missing, ciVariable)
	}
	t.Skipf("skipped, because this machine lacks %s", missing)
}
