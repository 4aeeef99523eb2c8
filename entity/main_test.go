package entity_test

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
		if err := flag.Set("rapid.checks", testrun.Pick(startupTB{}, "20", "2000")); err != nil {
			startupTB{}.Fatalf("%v", err)
		}
	}
	os.Exit(m.Run())
}

// startupTB is a [testrun.TB] before any test runs: a failure ends the program.
type startupTB struct{}

func (startupTB) Helper() {}

func (startupTB) Fatalf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(2)
}

func (s startupTB) Skipf(format string, args ...any) { s.Fatalf(format, args...) }
