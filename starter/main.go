// Command oppflow is Oppflow's command line.
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
