package compare_test

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/oppflow/oppflow/bench/compare"
)

// Like the command bench, the test program is also the program of the workers that it measures.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == compare.WorkerCommand {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := compare.RunWorker(ctx, os.Args[2:], os.Environ(), os.Stdout, os.Stderr)
		stop()
		os.Exit(code)
	}
	os.Exit(m.Run())
}
