// Command devserver is a Temporal server with its Web UI in one process, for demonstrations and tests on one machine.
//
// Command devserver runs the real server, with all four services. The database is SQLite, in memory
// or in a file that survives a restart and a kill, or an existing PostgreSQL. The server listens on
// the loopback interface only, because the server has no login. Do not use devserver in production.
// Command devserver does not depend on Oppflow and is a module of its own, so the many dependencies
// of the server are not dependencies of the product.
//
// A first build compiles 1655 packages. The server's packages import every package that a
// configuration may need. Without a copy of the server, the imports of unused packages cannot be
// removed. The unused packages are the clients of Kubernetes (268 packages, 83 s of one core), AWS
// (116 packages, over 60 s), Google Cloud, Elasticsearch, Cassandra and MySQL. The server uses the
// clients of Kubernetes and AWS to start workers and to keep archives. The server itself takes
// over 130 s, and linking takes 6 s. Two measures save time:
//   - Packages that this module shares with the parent module are compiled once, if both modules
//     use the same versions. The shared packages save 68 of 123 s, not counting the standard
//     library. A test of the package stack compares the versions. If CGO_ENABLED differs between
//     the builds of the two modules, most of the 68 s are lost.
//   - The tag disable_grpc_modules excludes a direct path to Google's storage (145 packages, 36 s).
//     A build without the tag compiles a hundred packages of the server again, so use the tag in
//     all builds of one checkout.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/oppflow/oppflow/devserver/readyfile"
)

// Exit statuses.
const (
	exitDone    = 0
	exitFailure = 1
	exitUsage   = 2
)

const (
	// startTimeout bounds the time from the start until all services respond.
	startTimeout = 60 * time.Second
	// stopTimeout bounds a clean stop. The data in the database is safe even when the stop is not
	// clean.
	stopTimeout = 20 * time.Second
)

func main() { os.Exit(runUntilSignalled()) }

// runUntilSignalled runs the program until it is interrupted or terminated.
func runUntilSignalled() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

// run is the whole program, and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stdout)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return exitDone
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "devserver: %v\n", err)
		return exitUsage
	}
	if err := serve(ctx, o, stdout); err != nil {
		_, _ = fmt.Fprintf(stderr, "devserver: %v\n", err)
		return exitFailure
	}
	return exitDone
}

// serve starts all services, reports when they are ready, and stops them when the context ends.
func serve(ctx context.Context, o options, stdout io.Writer) (err error) {
	if err := readyfile.Remove(o.readyFile); err != nil {
		return err
	}
	release, err := o.lockDatabase()
	if err != nil {
		return err
	}
	defer release()
	server, err := newServer(o)
	if err != nil {
		return err
	}
	if err := server.start(); err != nil {
		return err
	}
	defer func() {
		// The ready file must disappear before the stop begins.
		err = errors.Join(err, readyfile.Remove(o.readyFile), server.stop())
	}()

	startCtx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("the server is not ready after %v", startTimeout))
	defer cancel()
	if err := server.awaitReady(startCtx); err != nil {
		if ctx.Err() != nil {
			return nil // the program was interrupted before the server was ready
		}
		return err
	}
	if err := readyfile.Write(o.readyFile, readyfile.Report{Temporal: server.address, Namespace: o.namespace, UI: server.uiURL}); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(stdout, "Temporal server: %s, namespace %s\n", server.address, o.namespace)
	if server.uiURL != "" {
		_, _ = fmt.Fprintf(stdout, "Web UI: %s\n", server.uiURL)
	}
	<-ctx.Done()
	return nil
}
