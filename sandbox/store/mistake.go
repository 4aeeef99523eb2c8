package store

import "os"

// mistakeVariable is the name of the environment variable for a deliberate mistake of the sandbox. Only the linker sets
// it, for a test that shows that the tests find each mistake. Otherwise it is empty and there is no mistake.
var mistakeVariable string

// broken reports whether the sandbox should make the named mistake.
func broken(mistake string) bool {
	return mistakeVariable != "" && os.Getenv(mistakeVariable) == mistake
}
