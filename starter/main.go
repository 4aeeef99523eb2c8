// Command oppflow is Oppflow's command line. The command oppflow starts and shows opportunities,
// and sends messages to opportunities. The command oppflow also prepares a namespace, and runs the
// sandbox, a whole local stack or the demo.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/oppflow/oppflow/starter/cli"
)

func main() {
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second interrupt signal ends the process at once.
	context.AfterFunc(ctx, stop)
	return cli.Main(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
}
