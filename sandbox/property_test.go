package sandbox_test

import (
	"flag"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/settings/testrun"
)

// property makes so many checks of a property, or as many as the flag -rapid.checks asks for. Under the race detector it
// makes a fifth: a check does one thing after the other, which the detector makes many times slower and no better.
func property(t *testing.T, checks int, check func(*rapid.T)) {
	t.Helper()
	if testrun.Race {
		checks /= 5
	}
	if asked := flag.Lookup("rapid.checks"); asked.Value.String() == asked.DefValue {
		if err := asked.Value.Set(strconv.Itoa(checks)); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = asked.Value.Set(asked.DefValue) }()
	}
	rapid.Check(t, check)
}
