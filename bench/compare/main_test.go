package compare_test

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/oppflow/oppflow/bench/compare"
)

// The tests start their own test binary as the measured workers, as the command bench does with its
// own binary.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == compare.WorkerCommand {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := compare.RunWorker(ctx, os.Args[2:], os.Environ(), os.Stdout, os.Stderr)
		stop()
		os.Exit(code)
	}
	os.Exit(m.Run())
}
