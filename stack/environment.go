package stack

import (
	"os"
	"slices"
	"strings"

	"go.temporal.io/sdk/contrib/envconfig"
)

// childEnvironment is the environment of a part: that of this process without whatever would point the part at another
// Temporal service, another tenant's API, or other settings than the stack's own. Settings of the log are kept, and the
// mark by which a CI run finds the processes it has started.
func childEnvironment(add ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return strings.HasPrefix(name, "TEMPORAL_") || strings.HasPrefix(name, "ADMINISTRATE_") ||
			strings.HasPrefix(name, "OPPFLOW_") && !strings.HasPrefix(name, "OPPFLOW_LOG_") && !strings.HasPrefix(name, "OPPFLOW_CI_")
	})
	// A profile in the user's own file may ask for TLS or bring a key for another service.
	return append(append(env, "TEMPORAL_CONFIG_FILE="+os.DevNull), add...)
}

// userHasProfile reports whether the user's own Temporal settings could get in the way of the stack's.
func userHasProfile() bool {
	for _, name := range []string{"TEMPORAL_CONFIG_FILE", "TEMPORAL_PROFILE"} {
		if os.Getenv(name) != "" {
			return true
		}
	}
	_, err := os.Stat(envconfig.DefaultConfigFilePath())
	return err == nil
}
