package store

import "os"

// mutantVariable is the name of an environment variable, whose value is the name of a deliberate
// mistake of the sandbox. TestModelFindsMutants sets mutantVariable with a linker flag. In all
// other builds, mutantVariable is empty, and the sandbox makes no deliberate mistake.
var mutantVariable string

func isMutant(mistake string) bool {
	return mutantVariable != "" && os.Getenv(mutantVariable) == mistake
}
