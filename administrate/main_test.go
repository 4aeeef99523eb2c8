package administrate

import (
	"os"
	"runtime/debug"
	"testing"
)

// The tests decode the schema of the sandbox about a hundred times. With Go's default garbage
// collection, the tests would spend a third of their time on garbage collection.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
