package administrate

import (
	"os"
	"runtime/debug"
	"testing"
)

// The tests decode a hundred introspected schemas. With the default setting, the tests would spend
// a third of their time on garbage collection.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
