package administrate

import (
	"os"
	"runtime/debug"
	"testing"
)

// TestMain lets garbage grow to four times the heap. The tests decode a hundred introspected schemas, and a third
// of their time would go into collecting garbage.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
