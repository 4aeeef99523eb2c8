package stack

import (
	"os"
	"slices"
	"strings"

	"go.temporal.io/sdk/contrib/envconfig"
)

// childEnvironment returns the environment of this process without the variables that begin with
// TEMPORAL_, ADMINISTRATE_ or OPPFLOW_, and adds the variables in add. A part still receives the
// variables of this process that begin with OPPFLOW_LOG_ or OPPFLOW_CI_. A CI run finds its
// processes by the variables that begin with OPPFLOW_CI_.
func childEnvironment(add ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return strings.HasPrefix(name, "TEMPORAL_") || strings.HasPrefix(name, "ADMINISTRATE_") ||
			strings.HasPrefix(name, "OPPFLOW_") && !strings.HasPrefix(name, "OPPFLOW_LOG_") && !strings.HasPrefix(name, "OPPFLOW_CI_")
	})
	// A profile in the user's own configuration file may require TLS or contain a key for another
	// Temporal service.
	return append(append(env, "TEMPORAL_CONFIG_FILE="+os.DevNull), add...)
}

// userHasProfile reports whether the user's own Temporal settings could override the settings of
// the stack.
func userHasProfile() bool {
	for _, name := range []string{"TEMPORAL_CONFIG_FILE", "TEMPORAL_PROFILE"} {
		if os.Getenv(name) != "" {
			return true
		}
	}
	_, err := os.Stat(envconfig.DefaultConfigFilePath())
	return err == nil
}
