package testrun

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

// SetRapidChecks sets how often the library rapid checks each property. If the command line or
// RAPID_CHECKS sets the number, SetRapidChecks changes nothing. A TestMain calls SetRapidChecks
// before it runs the tests. The test program must import rapid, because rapid defines the flag that
// SetRapidChecks sets.
func SetRapidChecks(inShort, inLong string) error {
	flag.Parse()
	given := os.Getenv("RAPID_CHECKS") != ""
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if given {
		return nil
	}
	var t startup
	checks := Pick(&t, inShort, inLong)
	return errors.Join(t.err, flag.Set("rapid.checks", checks))
}

// startup is the [TB] of SetRapidChecks, which runs before any test.
type startup struct{ err error }

func (*startup) Helper() {}

func (t *startup) Fatalf(format string, args ...any) { t.err = fmt.Errorf(format, args...) }

func (t *startup) Skipf(format string, args ...any) { t.Fatalf(format, args...) }
