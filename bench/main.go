// Command bench measures Oppflow and tries it hard, on parts of its own on this machine.
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
)

func main() {
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	return benchMain(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

// The exit statuses.
const (
	exitFailure = 1
	exitUsage   = 2
)

// usageError is a mistake in how the command was called.
type usageError struct{ text string }

// Error says what is wrong and what would be right.
func (e *usageError) Error() string { return e.text }

const usage = `bench measures Oppflow and tries it hard, on parts of its own on this machine.

Usage:
  bench chaos [flags]   let a storm loose on many opportunities and audit what came of it

bench chaos --help lists the flags. It exits 1 when something is wrong, 2 when it was called wrongly.
`

// benchMain runs the command and answers its exit status.
func benchMain(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var err error
	switch {
	case len(args) == 0:
		err = &usageError{text: "name what to do: chaos"}
	case args[0] == "--help" || args[0] == "-h":
		fmt.Fprint(stdout, usage)
	case args[0] == "chaos":
		err = chaosCommand(ctx, args[1:], stdout, stderr)
	default:
		err = &usageError{text: fmt.Sprintf("%q is nothing bench does; it knows chaos", args[0])}
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
