package store

import "os"

// mutantVariable is the name of the environment variable that names a deliberate mistake of the
// sandbox. TestModelFindsMutants sets mutantVariable with a linker flag. In all other builds it is
// empty, and the sandbox makes no deliberate mistake.
var mutantVariable string

// isMutant reports whether the sandbox should make the named mistake.
func isMutant(mistake string) bool {
	return mutantVariable != "" && os.Getenv(mutantVariable) == mistake
}
