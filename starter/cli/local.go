package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spf13/pflag"

	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/worker/host"
)

// stopTimeout is how long a local stack may take to stop; the worker first completes its requests.
const stopTimeout = 50 * time.Second

type localFlags struct {
	root, data string
	verbose    bool
}

func (l *localFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&l.data, "data", "", "directory that keeps all data across runs (default: the data is in memory and lost at the end)")
	fs.StringVar(&l.root, "checkout", "", "directory of the checkout of Oppflow to build the programs from (default: the checkout that contains the working directory)")
	fs.BoolVar(&l.verbose, "verbose", false, "show the output of the server, the sandbox and the worker on standard error")
}

// options returns the options of a stack that writes a line to w for each slow step. On a terminal,
// a bar shows the progress of the builds, unless the parts of the stack write to the terminal.
func (l *localFlags) options(w, stderr io.Writer) stack.Options {
	progress := &buildProgress{w: w}
	o := stack.Options{Root: l.root, Data: l.data, Setup: host.SetupAt, Progress: progress.printLine}
	if l.verbose {
		o.Output = stderr
	} else if isTerminal(w) {
		o.Build = progress.update
	}
	return o
}

func startStack(ctx context.Context, o stack.Options) (*stack.Stack, error) {
	local, err := stack.Up(ctx, o)
	var root *stack.RootError
	switch {
	case err == nil:
		return local, nil
	case ctx.Err() != nil:
		return nil, errInterrupted
	case errors.As(err, &root):
		return nil, usagef("%v (--checkout)", err)
	}
	return nil, err
}

var errInterrupted = errors.New("interrupted")

func stopStack(ctx context.Context, local *stack.Stack) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	return local.Down(ctx)
}

// untilDone waits until ctx ends, and returns an error if a part of the stack ends earlier.
func untilDone(ctx context.Context, local *stack.Stack, noWorker bool) error {
	server, sandbox, worker := local.Server(), local.Sandbox(), local.Worker()
	workerExited := worker.Exited()
	if noWorker {
		workerExited = nil // there is no worker to wait for
	}
	var ended *stack.Process
	select {
	case <-ctx.Done():
		return nil
	case <-server.Exited():
		ended = server
	case <-sandbox.Exited():
		ended = sandbox
	case <-workerExited:
		ended = worker
	}
	if err := ended.ExitError(); err != nil {
		return err
	}
	return fmt.Errorf("the %s ended unexpectedly", ended.Name())
}

func historyURL(ui, namespace, workflow, run string) string {
	return ui + "/namespaces/" + url.PathEscape(namespace) + "/workflows/" + url.PathEscape(workflow) + "/" + url.PathEscape(run) + "/history"
}
