package testrun_test

import (
	"fmt"
	"testing"

	"github.com/oppflow/oppflow/settings/testrun"
)

type fakeTB struct{ failed, skipped string }

func (t *fakeTB) Helper()                           {}
func (t *fakeTB) Fatalf(format string, args ...any) { t.failed = fmt.Sprintf(format, args...) }
func (t *fakeTB) Skipf(format string, args ...any)  { t.skipped = fmt.Sprintf(format, args...) }

func TestForm(t *testing.T) {
	for _, test := range []struct {
		value  string
		long   bool
		failed string
	}{
		{"", false, ""},
		{"long", true, ""},
		{"Long", false, `OPPFLOW_TESTS is "Long"; the value must be empty for the short form of the tests, or "long" for the long form`},
		{"1", false, `OPPFLOW_TESTS is "1"; the value must be empty for the short form of the tests, or "long" for the long form`},
	} {
		t.Setenv(testrun.Variable, test.value)
		var got fakeTB
		if long := testrun.Long(&got); long != test.long || got.failed != test.failed {
			t.Errorf("%q: long %t, failed %q; want %t, %q", test.value, long, got.failed, test.long, test.failed)
		}
		if picked, want := testrun.Pick(&fakeTB{}, 1, 2), map[bool]int{false: 1, true: 2}[test.long]; picked != want {
			t.Errorf("%q: picked %d; want %d", test.value, picked, want)
		}
	}
}

func TestWhatIsMissingFailsInContinuousIntegration(t *testing.T) {
	t.Setenv("CI", "")
	var got fakeTB
	testrun.SkipWithout(&got, "a browser (apt-get install chromium)")
	if want := "skipped, because this machine lacks a browser (apt-get install chromium)"; got.skipped != want || got.failed != "" {
		t.Errorf("%+v; want a skipped test with %q", got, want)
	}
	t.Setenv("CI", "true")
	got = fakeTB{}
	testrun.SkipWithout(&got, "a browser")
	if want := "this machine lacks a browser; with CI=true no test may be skipped"; got.failed != want {
		t.Errorf("%+v; want a failed test with %q", got, want)
	}
}
