// Command oppflow-worker runs the workflows of Oppflow and their calls of the Administrate API.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/oppflow/oppflow/worker/host"
)

func main() {
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// After the first signal of the operating system, a second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	return host.Main(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
}
