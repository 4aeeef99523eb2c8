//go:build race

package sandbox_test

import (
	"flag"
	"os"
	"testing"
)

// Under the race detector the random tests, which do one thing after the other, are many times slower and no better: they
// make fewer checks then. TestTheModelFindsMistakes makes all of them in a program without it.
func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if !asked {
		if err := flag.Set("rapid.checks", "15"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
