package sandbox_test

import (
	"flag"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/settings/testrun"
)

// property makes the given number of checks of a property, or as many as the flag -rapid.checks says. Under the race
// detector it makes a fifth. A check is sequential, so the detector makes it many times slower and finds no races.
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
