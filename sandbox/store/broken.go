//go:build sandboxbroken

package store

import "os"

// broken reports whether the sandbox is to make the mistake of that name, so that a test can show that the tests find it.
func broken(mistake string) bool { return os.Getenv("SANDBOX_BROKEN") == mistake }
