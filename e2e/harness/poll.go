package harness

import (
	"testing"
	"time"
)

// Eventually calls ask until ask returns true, and fails the test after the given time.
func Eventually(t *testing.T, within time.Duration, what string, ask func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for !ask() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", within, what)
		}
		<-ticker.C
	}
}
