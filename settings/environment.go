// Package settings defines the flags and environment variables of Oppflow's programs, once for
// the worker, the command line and the benchmark: how to reach Temporal, how to reach the
// Administrate API, what to log.
//
// Every part is a struct. The fields of the struct may be set in code, bound to flags with
// AddFlags, or left at zero. Resolving the struct fills the empty fields: a flag (or a field
// set in code) has priority over the environment, and the environment over the default. The
// error for a wrong value is one line that names the flag and the variable.
//
// The package knows nothing of opportunities, imports no other part of Oppflow, and opens no
// connection.
package settings

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Environment is a list of NAME=value pairs as [os.Environ] returns it. The zero value is the
// environment of the process. A variable that is set but empty counts as not set, because container
// files commonly pass on variables without a value. If a name occurs twice, the last value counts,
// as for a process that package os/exec starts.
type Environment []string

// Get returns the value of the variable, "" if it is not set.
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

// LookupEnv returns the value of the variable and whether it is set and not empty.
func (e Environment) LookupEnv(name string) (string, bool) {
	value := e.Get(name)
	return value, value != ""
}

// userConfigDir returns [os.UserConfigDir] for this environment; "" if the environment names
// no such directory.
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

// textSetter reads both a flag's value and a variable's value, so that both accept the same
// values.
type textSetter interface{ Set(string) error }

// fill reads the variable into the target if the variable is set. The error names the wrong
// variable, and the flag that has priority over the variable.
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
