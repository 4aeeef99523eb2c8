package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/worker/host"
)

// downTimeout is how long the parts of a local stack may take to stop: the worker sees requests in flight through.
const downTimeout = 50 * time.Second

// localFlags are what up and demo have in common.
type localFlags struct {
	root, data string
	verbose    bool
}

func (l *localFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&l.data, "data", "", "directory to keep everything in across runs (default: in memory, gone in the end)")
	fs.StringVar(&l.root, "checkout", "", "checkout of Oppflow to build the parts from (default: the one around the working directory)")
	fs.BoolVar(&l.verbose, "verbose", false, "show what the parts write, on standard error")
}

// options are those of a stack that tells what takes long, in a line each, on w.
func (l *localFlags) options(w, stderr io.Writer) stack.Options {
	o := stack.Options{Root: l.root, Data: l.data, Setup: host.SetupAt, Progress: narrator(w)}
	if l.verbose {
		o.Output = stderr
	}
	return o
}

// narrator writes lines from several goroutines.
func narrator(w io.Writer) func(string) {
	var mu sync.Mutex
	return func(text string) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = fmt.Fprintln(w, oneLine(text)+" …")
	}
}

// bringUp brings the stack up; a start that was cut short by the caller is told as that.
func bringUp(ctx context.Context, o stack.Options) (*stack.Stack, error) {
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

// takeDown stops the stack, however ctx ended.
func takeDown(ctx context.Context, local *stack.Stack) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), downTimeout)
	defer cancel()
	return local.Down(ctx)
}

// untilDone returns nil when ctx ends, and an error when one of the parts ends before that.
func untilDone(ctx context.Context, local *stack.Stack) error {
	server, sandbox, worker := local.Server(), local.Sandbox(), local.Worker()
	var ended *stack.Process
	select {
	case <-ctx.Done():
		return nil
	case <-server.Exited():
		ended = server
	case <-sandbox.Exited():
		ended = sandbox
	case <-worker.Exited():
		ended = worker
	}
	if err := ended.ExitError(); err != nil {
		return err
	}
	return fmt.Errorf("the %s ended by itself", ended.Name())
}

// historyURL is where the Web UI shows the history of a run.
func historyURL(ui, namespace, workflow, run string) string {
	return ui + "/namespaces/" + url.PathEscape(namespace) + "/workflows/" + url.PathEscape(workflow) + "/" + url.PathEscape(run) + "/history"
}
