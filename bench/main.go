// Command bench measures the cost of Oppflow and runs chaos tests. The command starts its own
// Temporal server, sandbox and workers on this machine.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/oppflow/oppflow/bench/compare"
)

func main() {
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// After the first signal, the default signal handling is restored, so a second signal ends the
	// process at once.
	context.AfterFunc(ctx, stop)
	return benchMain(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

const (
	exitFailure = 1
	exitUsage   = 2
)

type usageError struct{ message string }

// Error returns a text that describes the wrong argument and its correction.
func (e *usageError) Error() string { return e.message }

const usage = `bench measures Oppflow, or tests Oppflow under disruptions. bench starts its own Temporal server, sandbox and workers on this machine.

Usage:
  bench [flags]         measure the cost of Oppflow, compared with a bare Temporal workflow and a plain loop
  bench chaos [flags]   run a chaos test: disrupt server, workers and sandbox while many opportunities run, and audit the results

bench --help and bench chaos --help list the flags. The exit code is 1 when a measurement or the chaos test fails, and 2 when the command line is invalid.
`

func benchMain(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var err error
	switch {
	case len(args) > 0 && args[0] == compare.WorkerCommand: // a measurement starts its workers with this command
		return compare.RunWorker(ctx, args[1:], os.Environ(), stdout, stderr)
	case len(args) > 0 && args[0] == "chaos":
		err = chaosCommand(ctx, args[1:], stdout, stderr)
	default:
		err = measureCommand(ctx, args, stdout, stderr)
	}
	var mistake *usageError
	switch {
	case err == nil || errors.Is(err, pflag.ErrHelp):
		return 0
	case errors.As(err, &mistake):
		fmt.Fprintf(stderr, "bench: %v\n%s", err, usage)
		return exitUsage
	default:
		fmt.Fprintf(stderr, "bench: %v\n", err)
		return exitFailure
	}
}
