package opportunity_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/oppflow/oppflow/settings/testrun"
)

// TestMain sets the number of runs of each property, unless the command line or the environment sets it.
func TestMain(m *testing.M) {
	flag.Parse()
	given := os.Getenv("RAPID_CHECKS") != ""
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		if err := flag.Set("rapid.checks", testrun.Pick(starting{}, "20", "2000")); err != nil {
			starting{}.Fatalf("%v", err)
		}
	}
	os.Exit(m.Run())
}

// starting is a [testrun.TB] before any test runs: a failure ends the program.
type starting struct{}

func (starting) Helper() {}

func (starting) Fatalf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(2)
}

func (s starting) Skipf(format string, args ...any) { s.Fatalf(format, args...) }
