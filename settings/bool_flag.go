package settings

import (
	"errors"
	"strconv"
)

// If given is not nil, Set sets *given to true, even when the flag has the value false. A flag with
// the value false has priority over a variable with the value true.
type boolFlag struct{ value, given *bool }

func (t *boolFlag) Set(text string) error {
	value, err := strconv.ParseBool(text)
	if err != nil {
		return errors.New("must be true or false")
	}
	*t.value = value
	if t.given != nil {
		*t.given = true
	}
	return nil
}

// String returns "" instead of "false", so that the help shows no default.
func (t *boolFlag) String() string {
	if t.value == nil || !*t.value {
		return ""
	}
	return "true"
}

func (t *boolFlag) Type() string     { return "bool" }
func (t *boolFlag) IsBoolFlag() bool { return true }
