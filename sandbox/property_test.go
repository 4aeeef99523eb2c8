package sandbox_test

import (
	"flag"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/settings/testrun"
)

// Under the race detector, property runs a fifth of the checks. A check is sequential, so the race
// detector finds no races and only makes the check much slower.
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
