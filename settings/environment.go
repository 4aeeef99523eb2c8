// Package settings defines the flags and environment variables of the worker, the command line and
// the benchmark. The settings say how to reach Temporal, how to reach the Administrate API, and
// what to log.
//
// A program sets the fields of a settings struct in code, binds the fields to flags with AddFlags,
// or leaves the fields empty. Resolve fills the empty fields of a settings struct. A flag (or a
// field set in code) has priority over the environment, and the environment has priority over the
// default. The error for a wrong value is one line that names the flag and the variable.
package settings

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Environment is a list of NAME=value pairs in the form that [os.Environ] returns. The zero value
// of Environment means the environment of the process. Oppflow treats a variable that is set but
// empty as not set, because container files often pass variables without a value. If a variable
// occurs twice, the last value is used, as in a process that package os/exec starts.
type Environment []string

// Get returns the value of the variable, or "" if the variable is not set.
func (e Environment) Get(name string) string {
	if e == nil {
		return os.Getenv(name)
	}
	for i := len(e) - 1; i >= 0; i-- {
		if key, value, ok := strings.Cut(e[i], "="); ok && key == name {
			return value
		}
	}
	return ""
}

// Environ returns the non-empty variables as NAME=value pairs.
func (e Environment) Environ() []string {
	all := []string(e)
	if e == nil {
		all = os.Environ()
	}
	set := make([]string, 0, len(all))
	for _, pair := range all {
		if key, value, ok := strings.Cut(pair, "="); ok && key != "" && value != "" {
			set = append(set, pair)
		}
	}
	return set
}

// LookupEnv returns the value of the variable, and whether the variable is set and not empty.
func (e Environment) LookupEnv(name string) (string, bool) {
	value := e.Get(name)
	return value, value != ""
}

// userConfigDir returns the directory that [os.UserConfigDir] would return in this environment, or
// "" if the environment names no such directory.
func (e Environment) userConfigDir() string {
	below := func(variable string, elements ...string) string {
		home := e.Get(variable)
		if home == "" {
			return ""
		}
		return filepath.Join(append([]string{home}, elements...)...)
	}
	switch runtime.GOOS {
	case "windows":
		return e.Get("AppData")
	case "darwin", "ios":
		return below("HOME", "Library", "Application Support")
	}
	if dir := e.Get("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return dir
	}
	return below("HOME", ".config")
}

// textSetter parses the text of a flag and the text of a variable, so that both accept the same
// values.
type textSetter interface{ Set(string) error }

// The error of fill names the wrong variable, and the flag that has priority over the variable.
func (e Environment) fill(target textSetter, flag, variable string) error {
	value, ok := e.LookupEnv(variable)
	if !ok {
		return nil
	}
	if err := target.Set(value); err != nil {
		return fmt.Errorf("%s %q (or --%s): %w", variable, value, flag, err)
	}
	return nil
}
