package administrate

import (
	"os"
	"runtime/debug"
	"testing"
)

// TestMain lets garbage grow to four times the heap. The tests decode a hundred introspected
// schemas. With the default setting, garbage collection would take a third of the time.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
