package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/pflag"

	"github.com/oppflow/oppflow/settings"
)

const healthcheckName = "healthcheck"

// Container runtimes allow only two exit codes, so healthcheck returns ExitDone for a healthy
// worker, and ExitFailure with one line on stderr in all other cases.
func healthcheck(ctx context.Context, args, env []string, stdout, stderr io.Writer) int {
	var address string
	var live bool
	flags := pflag.NewFlagSet("oppflow-worker "+healthcheckName, pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.SortFlags = false
	healthFlag(flags, &address)
	flags.BoolVar(&live, "live", false, "check only whether the process responds (/healthz), not whether it polls for tasks (/readyz)")
	err := flags.Parse(args)
	if errors.Is(err, pflag.ErrHelp) {
		_, _ = fmt.Fprintf(stdout, "oppflow-worker healthcheck checks the health of a running worker. The exit code is 0 if the worker is healthy. Otherwise the exit code is 1, and the command prints the reason.\n\nUsage:\n  oppflow-worker healthcheck [flags]\n\nFlags:\n%s", flags.FlagUsages())
		return ExitDone
	}
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q; see oppflow-worker healthcheck --help", flags.Arg(0))
	}
	address = healthAddress(address, env)
	if err == nil && address == "" {
		err = fmt.Errorf("no health address is given; set the worker's health address (%s)", healthSetting)
	}
	if err == nil {
		err = checkHealthAddress(address)
	}
	path := readyPath
	if live {
		path = livePath
	}
	if err == nil {
		err = askHealth(ctx, address, path)
	}
	if err != nil {
		return fail(stderr, ExitFailure, err)
	}
	_, _ = fmt.Fprintln(stdout, "ok")
	return ExitDone
}

func healthFlag(flags *pflag.FlagSet, address *string) {
	flags.StringVar(address, "health-address", "", "host:port where the worker serves GET /healthz and /readyz (default none) [OPPFLOW_HEALTH_ADDRESS]")
}

// If the flag --health-address is empty, healthAddress returns the value of the environment
// variable.
func healthAddress(flag string, env []string) string {
	if flag == "" {
		flag = settings.Environment(env).Get("OPPFLOW_HEALTH_ADDRESS")
	}
	return flag
}

func unwrapURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
