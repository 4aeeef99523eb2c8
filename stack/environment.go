package stack

import (
	"os"
	"slices"
	"strings"

	"go.temporal.io/sdk/contrib/envconfig"
)

// childEnvironment returns the environment of a part. This is the environment of this process
// without variables that name another Temporal service, another tenant's API, or other settings
// than the stack's own. Settings of the log stay. The variable that a CI run uses to find its
// processes stays, too.
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
