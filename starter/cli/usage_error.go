package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oppflow/oppflow/opportunity"
)

// usageError is a mistake in what the user typed; the command changed nothing.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error {
	return &usageError{text: fmt.Sprintf(format, args...)}
}

type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// asUsageError converts the error of a message that is not valid, and was therefore not sent, to a
// usageError. members maps each member of the message to the name of its flag or argument.
func asUsageError(err error, members map[string]string) error {
	var invalid *opportunity.Error
	if !errors.As(err, &invalid) {
		return err
	}
	text := invalid.Message
	// An example of text: "interests[0].learners[1].email: the value is not an e-mail address"
	text = strings.TrimPrefix(text, "interests[0].")
	member, rest, found := strings.Cut(text, ":")
	if !found {
		return &usageError{text: text}
	}
	name, inside, _ := strings.Cut(member, "[")
	typed, known := members[name]
	if !known {
		return &usageError{text: text}
	}
	if number, field, ok := strings.Cut(inside, "]"); ok {
		typed += " (number " + oneBased(number) + strings.ReplaceAll(field, ".", ", ") + ")"
	}
	return &usageError{text: typed + ":" + rest}
}

func oneBased(number string) string {
	var n int
	if _, err := fmt.Sscanf(number, "%d", &n); err != nil {
		return number
	}
	return fmt.Sprint(n + 1)
}

// cobra has no Go type for an unknown command.
func explainCommand(root *cobra.Command, err error) error {
	var name, path string
	if n, _ := fmt.Sscanf(err.Error(), "unknown command %q for %q", &name, &path); n != 2 {
		return err
	}
	parent, _, findErr := root.Find(strings.Fields(path)[1:])
	if findErr != nil {
		parent = root
	}
	return unknownCommand(parent, name)
}

func unknownCommand(parent *cobra.Command, name string) error {
	var names []string
	for _, c := range parent.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	if len(names) == 0 {
		return usagef("unexpected argument %q; see %s --help", name, parent.CommandPath())
	}
	return usagef("there is no command %q%s; see %s --help", name, didYouMean(name, names, ""), parent.CommandPath())
}

func explainFlag(command *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	see := "; see " + command.CommandPath() + " --help"
	var missing *pflag.NotExistError
	var noValue *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &missing):
		name := missing.GetSpecifiedName()
		if missing.GetSpecifiedShortnames() != "" {
			return usagef("there is no flag -%s%s", name, see)
		}
		return usagef("there is no flag --%s%s%s", name, didYouMean(name, flagNames(command.Flags()), "--"), see)
	case errors.As(err, &noValue):
		return usagef("--%s needs a value%s", noValue.GetSpecifiedName(), see)
	case errors.As(err, &invalid) && invalid.GetFlag().Value.Type() == personType:
		return usagef("--%s: %s", invalid.GetFlag().Name, withoutFuncName(invalid.Unwrap())) // the value may be a person's data, so the error does not quote it
	case errors.As(err, &invalid):
		return usagef("--%s %q: %s", invalid.GetFlag().Name, invalid.GetValue(), withoutFuncName(invalid.Unwrap()))
	}
	return usagef("%v%s", err, see)
}

// withoutFuncName removes the name of the Go function from an error about a number.
func withoutFuncName(err error) string {
	text := err.Error()
	if strings.HasPrefix(text, "strconv.") {
		if strings.HasPrefix(text, "strconv.ParseBool") {
			return "must be true or false"
		}
		return "must be a whole number"
	}
	if strings.HasPrefix(text, "time: ") {
		return "must be a length of time, such as 90s or 2m"
	}
	return text
}

func didYouMean(typed string, known []string, prefix string) string {
	best, distance := "", 3
	for _, name := range known {
		d := levenshtein.ComputeDistance(strings.ToLower(typed), name)
		if d > 0 && strings.HasPrefix(name, strings.ToLower(typed)) && len(typed) > 1 {
			d = 1
		}
		if d < distance && d < len(name) {
			best, distance = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s%s?", prefix, best)
}

func exactArgs(names ...string) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		switch {
		case len(args) > len(names):
			return usagef("unexpected argument %q; usage: %s", args[len(names)], command.UseLine())
		case len(args) < len(names):
			return usagef("%s is missing; usage: %s", names[len(args)], command.UseLine())
		}
		return nil
	}
}
