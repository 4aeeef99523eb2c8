// Command devserver is a Temporal server with its Web UI in one process, for demonstrations and tests on one machine.
//
// The database is SQLite (in memory or in a file) or an existing PostgreSQL server. The data in a
// file or in PostgreSQL survives a restart and a kill of the server. The server listens only on the
// loopback interface, because the server has no access control. Do not use devserver in production.
// Command devserver is a separate Go module that does not depend on Oppflow. So the many
// dependencies of the Temporal server are not dependencies of Oppflow.
//
// A first build compiles 1655 packages. The Temporal server imports every package that any
// configuration needs. To compile the server's own packages takes over 130 s, and to link the
// program takes 6 s. Two measures save build time:
//   - A package that this module and the parent module import is compiled only once, if both
//     modules require the same version. Without the standard library, the shared packages save 68
//     of 123 s. A test of the package stack checks that both modules require the same versions. If
//     CGO_ENABLED differs between both builds, the shared packages save little of the 68 s.
//   - The build tag disable_grpc_modules excludes the gRPC client of Google Cloud Storage (145
//     packages, 36 s). A build without this tag compiles about a hundred packages of the server
//     again, so set the tag in all builds on one machine.
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

const (
	exitDone    = 0
	exitFailure = 1
	exitUsage   = 2
)

const (
	// startTimeout is the maximum time from the start of the server until all services respond.
	startTimeout = 60 * time.Second
	// stopTimeout is the maximum time of a stop; a longer stop is not clean, but loses no data in
	// the database.
	stopTimeout = 20 * time.Second
)

func main() { os.Exit(runUntilSignalled()) }

func runUntilSignalled() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// After the first signal, the default signal handling is restored, so a second signal ends the
	// process at once.
	context.AfterFunc(ctx, stop)
	return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

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
		// serve removes the ready file before it stops the server, because the file says that the
		// server is ready.
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
