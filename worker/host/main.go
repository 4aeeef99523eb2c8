package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/oppflow/oppflow/settings"
)

// The exit codes of the programs of Oppflow.
const (
	ExitDone    = 0
	ExitFailure = 1 // the arguments were right, but the program could not do its work
	ExitUsage   = 2 // a flag, an argument or an environment variable is wrong; the program did nothing
)

// Main runs the program oppflow-worker until ctx ends and returns its exit code. args contains the
// arguments after the name of the program, and env contains the environment variables. The log goes
// to stderr. If an error ends the program early, Main writes the error as one line to stderr. With
// the argument "healthcheck", Main requests the health of a running worker; with the argument
// "version", Main prints the version of the build.
func Main(ctx context.Context, args, env []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == healthcheckName {
		return healthcheck(ctx, args[1:], env, stdout, stderr)
	}
	if len(args) > 0 && (args[0] == "version" || args[0] == "--version") {
		return printVersion(args[1:], stdout, stderr)
	}
	options := Options{CachedWorkflows: DefaultCachedWorkflows}
	options.Temporal.Environment, options.API.Environment, options.Playbook.Environment = env, env, env
	log := settings.Log{Environment: env}

	flags := pflag.NewFlagSet("oppflow-worker", pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.SortFlags = false
	options.Temporal.AddFlags(flags)
	options.API.AddFlags(flags)
	options.Playbook.AddFlags(flags)
	flags.Var((*positiveCount)(&options.CachedWorkflows), "cached-workflows", "maximum number of opportunities that the worker keeps in memory; each opportunity needs about 36 KB")
	flags.StringVar(&options.ReadyFile, "ready-file", "", "file that the worker writes as soon as the worker polls for tasks")
	healthFlag(flags, &options.HealthAddress)
	log.AddFlags(flags)
	switch err := flags.Parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		_, _ = fmt.Fprintf(stdout, "oppflow-worker runs the workflows of Oppflow and their calls of the Administrate API.\n\nUsage:\n  oppflow-worker [flags]\n  oppflow-worker healthcheck [flags]\n  oppflow-worker version\n\nFlags:\n%s", flags.FlagUsages())
		return ExitDone
	case err != nil:
		return fail(stderr, ExitUsage, fmt.Errorf("%w; see oppflow-worker --help", err))
	case flags.NArg() > 0:
		return fail(stderr, ExitUsage, fmt.Errorf("unexpected argument %q; the worker accepts only flags; see oppflow-worker --help", flags.Arg(0)))
	}
	logger, err := log.Logger(stderr)
	if err != nil {
		return fail(stderr, ExitUsage, err)
	}
	options.Logger = logger
	options.HealthAddress = healthAddress(options.HealthAddress, env)
	err = Run(ctx, options)
	var wrong *SettingsError
	switch {
	case errors.As(err, &wrong):
		return fail(stderr, ExitUsage, err)
	case err != nil:
		return fail(stderr, ExitFailure, err)
	}
	return ExitDone
}

func fail(stderr io.Writer, code int, err error) int {
	_, _ = fmt.Fprintf(stderr, "oppflow-worker: %s\n", strings.Join(strings.Fields(err.Error()), " "))
	return code
}

type positiveCount int

func (c *positiveCount) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return errors.New("must be a whole number greater than 0")
	}
	*c = positiveCount(n)
	return nil
}

func (c *positiveCount) String() string { return strconv.Itoa(int(*c)) }
func (c *positiveCount) Type() string   { return "number" }
