package stack

import (
	"os"
	"slices"
	"strings"

	"go.temporal.io/sdk/contrib/envconfig"
)

// childEnvironment returns the environment of a part. A part gets the environment of this process
// without the variables of TEMPORAL_, ADMINISTRATE_ and OPPFLOW_, and with the variables in add.
// The variables of OPPFLOW_LOG_ stay. The variables of OPPFLOW_CI_ stay, too, because a CI run
// finds its processes by these variables.
func childEnvironment(add ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return strings.HasPrefix(name, "TEMPORAL_") || strings.HasPrefix(name, "ADMINISTRATE_") ||
			strings.HasPrefix(name, "OPPFLOW_") && !strings.HasPrefix(name, "OPPFLOW_LOG_") && !strings.HasPrefix(name, "OPPFLOW_CI_")
	})
	// A profile in the user's own file may require TLS or contain a key for another service.
	return append(append(env, "TEMPORAL_CONFIG_FILE="+os.DevNull), add...)
}

// userHasProfile reports whether the user's own Temporal settings could override the stack's.
func userHasProfile() bool {
	for _, name := range []string{"TEMPORAL_CONFIG_FILE", "TEMPORAL_PROFILE"} {
		if os.Getenv(name) != "" {
			return true
		}
	}
	_, err := os.Stat(envconfig.DefaultConfigFilePath())
	return err == nil
}
