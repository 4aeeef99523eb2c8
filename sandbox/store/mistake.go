package store

import "os"

// mistakeVariable names the variable of the environment that says which mistake the sandbox is to make on purpose. Only
// the linker sets it, for a test that shows that the tests find each mistake; otherwise it is empty and none is made.
var mistakeVariable string

// broken reports whether the sandbox is to make the mistake of that name.
func broken(mistake string) bool {
	return mistakeVariable != "" && os.Getenv(mistakeVariable) == mistake
}
