package store

import "os"

// mutantVariable is the name of the environment variable for a deliberate mistake of the sandbox. Only the linker sets
// it, for a test that shows that the tests find each mistake. Otherwise it is empty and there is no mistake.
var mutantVariable string

// isMutant reports whether the sandbox should make the named mistake.
func isMutant(mistake string) bool {
	return mutantVariable != "" && os.Getenv(mutantVariable) == mistake
}
