package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/oppflow/oppflow/settings/readyfile"
)

const (
	// readyTimeout is how long a part may take from its start until the part is ready. A shorter limit
	// of the caller's context has priority.
	readyTimeout = 90 * time.Second
	// stopTimeout is how long a part may take to stop when the caller's context sets no limit.
	stopTimeout = 30 * time.Second
	readyPoll   = 10 * time.Millisecond
	// portWait is how long a restarted part waits for its earlier port, and portRetry is the time
	// between two attempts.
	portWait  = 10 * time.Second
	portRetry = 100 * time.Millisecond
	// pipeWait is how long a child process of a part may keep the part's output open after the part
	// has ended.
	pipeWait = 2 * time.Second
)

type command struct {
	path string
	args []string
	env  []string // the whole environment
	dir  string
}

// Process is one part of a stack: a program in its own process that can be stopped, killed, frozen
// and started again. The program has its own process group, so that Ctrl-C in a terminal reaches
// Oppflow and not its parts. On Linux, the kernel kills the program when the program's parent
// process ends for any reason.
//
// Any goroutine may call any method of Process at any time.
type Process struct {
	name      string
	readyFile string
	output    io.Writer                    // a second destination of the output, besides the tail; nil for none
	command   func() command               // called before every start
	onReady   func(readyfile.Report) error // stores the report that the part writes when the part is ready
	prepare   func(context.Context) error  // prepares the part for use by other parts; may be nil

	starting sync.Mutex // held during a start: one at a time

	mu  sync.Mutex
	run *processRun // the last run; nil before the first
}

type processRun struct {
	process *os.Process
	tail    *lastLines
	done    chan struct{} // closed at the end
	err     error         // why the run ended; read after done
}

func (r *processRun) running() bool {
	select {
	case <-r.done:
		return false
	default:
		return true
	}
}

// Name returns the name of the part: "server", "sandbox" or "worker".
func (p *Process) Name() string { return p.name }

// PID returns the process id of the current run or, if no run is active, of the last run. PID
// returns 0 before the first run.
func (p *Process) PID() int {
	if r := p.current(); r != nil {
		return r.process.Pid
	}
	return 0
}

// Running reports whether the process exists, even if the process is frozen.
func (p *Process) Running() bool {
	r := p.current()
	return r != nil && r.running()
}

// Exited returns a channel that is closed when the current run ends. If no run is active, the
// channel is already closed.
func (p *Process) Exited() <-chan struct{} {
	if r := p.current(); r != nil {
		return r.done
	}
	closed := make(chan struct{})
	close(closed)
	return closed
}

// ExitError returns an error that says how the last run ended, with the last lines of the run's
// output. ExitError returns nil while the process runs, before the first start, and after an end
// with exit status 0.
func (p *Process) ExitError() error {
	r := p.current()
	if r == nil || r.running() || r.err == nil {
		return nil
	}
	return p.failure("ended", r)
}

func (p *Process) current() *processRun {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.run
}

// Start runs the program and waits until the program is ready. If the program ends before the
// program is ready, Start returns an error with the last lines of the program's output. Start kills
// a program that is not ready in time. A part that is started again listens at the same address as
// in its earlier run.
func (p *Process) Start(ctx context.Context) error {
	p.starting.Lock()
	defer p.starting.Unlock()
	if p.Running() {
		return fmt.Errorf("the %s is already running", p.name)
	}
	again := p.current() != nil
	var last error
	_, _ = backoff.Retry(ctx, func() (r *processRun, err error) {
		r, last = p.startOnce(ctx)
		// For a short time, another process's outgoing connection may use the port of a stopped part as
		// its local port.
		if !again || r == nil || !strings.Contains(r.tail.String(), "in use") {
			return r, backoff.Permanent(last)
		}
		return r, last
	}, backoff.WithBackOff(backoff.NewConstantBackOff(portRetry)), backoff.WithMaxElapsedTime(portWait))
	return last
}

// If startOnce returns an error, the program does not run, and the result is the failed run, or nil
// if no run began.
func (p *Process) startOnce(ctx context.Context) (*processRun, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("the %s was not started: %w", p.name, context.Cause(ctx))
	}
	if err := readyfile.Remove(p.readyFile); err != nil {
		return nil, fmt.Errorf("the %s cannot be started: %w", p.name, err)
	}
	r, err := launch(p.command(), p.name, p.output)
	if err != nil {
		return nil, fmt.Errorf("the %s cannot be started: %w", p.name, err)
	}
	p.mu.Lock()
	p.run = r
	p.mu.Unlock()
	if err := p.awaitReady(ctx, r); err != nil {
		return r, err
	}
	if p.prepare != nil {
		if err := p.prepare(ctx); err != nil {
			r.kill()
			return r, fmt.Errorf("the %s runs but cannot be prepared: %w", p.name, err)
		}
	}
	return r, nil
}

func (p *Process) awaitReady(ctx context.Context, r *processRun) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyTimeout, fmt.Errorf("not ready after %v", readyTimeout))
	defer cancel()
	poll := time.NewTicker(readyPoll)
	defer poll.Stop()
	for {
		report, err := readyfile.Read(p.readyFile)
		if err == nil {
			err = p.onReady(report)
		}
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, os.ErrNotExist):
			r.kill()
			return p.failure(fmt.Sprintf("wrote an unreadable ready file (%v)", err), r)
		}
		select {
		case <-r.done:
			return p.failure("ended before it was ready", r)
		case <-ctx.Done():
			r.kill()
			return p.failure(fmt.Sprintf("was killed before it was ready (%v)", context.Cause(ctx)), r)
		case <-poll.C:
		}
	}
}

// Stop requests the end of the process (SIGTERM) and waits for the end. Stop wakes a frozen process
// first. If ctx ends before the process ends, Stop kills the process and returns an error. If ctx
// has no deadline, Stop kills the process after 30 seconds and returns an error. Stop also returns
// an error if the process ends with an exit status other than 0. If no process runs, Stop does
// nothing.
func (p *Process) Stop(ctx context.Context) error {
	r := p.current()
	if r == nil || !r.running() {
		return nil
	}
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, stopTimeout)
		defer cancel()
	}
	if err := r.terminate(); err != nil {
		return fmt.Errorf("the %s cannot be stopped: %w", p.name, err)
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		r.kill()
		return p.failure("did not stop in time and was killed", r)
	}
	if r.err != nil {
		return p.failure("did not stop cleanly", r)
	}
	return nil
}

// Kill ends the process at once (SIGKILL), as a crash of the machine would, and waits until the
// process has ended.
func (p *Process) Kill() {
	if r := p.current(); r != nil {
		r.kill()
	}
}

// Pause freezes the process (SIGSTOP). The frozen process keeps its connections and its memory, and
// does nothing until Continue.
func (p *Process) Pause() error { return p.signal("paused", pauseSignal) }

// Continue wakes a frozen process (SIGCONT).
func (p *Process) Continue() error { return p.signal("continued", continueSignal) }

func (p *Process) signal(what string, signal os.Signal) error {
	r := p.current()
	if r == nil || !r.running() {
		return fmt.Errorf("the %s cannot be %s: the process is not running", p.name, what)
	}
	if err := r.process.Signal(signal); err != nil {
		return fmt.Errorf("the %s cannot be %s: %w", p.name, what, err)
	}
	return nil
}

func (p *Process) failure(what string, r *processRun) error {
	var text strings.Builder
	fmt.Fprintf(&text, "the %s %s", p.name, what)
	if !r.running() && r.err != nil {
		fmt.Fprintf(&text, ": %v", r.err)
	}
	if lines := r.tail.String(); lines != "" {
		fmt.Fprintf(&text, "; its last output:\n%s", lines)
	}
	return errors.New(text.String())
}

// launch starts the command as a process and observes the process until the process ends.
func launch(c command, name string, output io.Writer) (*processRun, error) {
	// The command has no context, because only Stop and Kill may end the process.
	cmd := exec.Command(c.path, c.args...) //nolint:noctx // see above
	cmd.Env, cmd.Dir = c.env, c.dir
	cmd.WaitDelay = pipeWait
	cmd.SysProcAttr = childAttributes()
	r := &processRun{tail: &lastLines{}, done: make(chan struct{})}
	var sink io.Writer = r.tail
	flush := func() {}
	if output != nil {
		lines := &prefixWriter{to: output, prefix: name + " | "}
		sink, flush = io.MultiWriter(r.tail, lines), lines.flush
	}
	cmd.Stdout, cmd.Stderr = sink, sink

	started := make(chan error)
	go func() {
		// On Linux, the kernel kills the child when the thread that started the child ends, not only when
		// this process ends. This goroutine locks its thread until the child has ended, so that the child
		// does not end with the thread.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		r.process = cmd.Process
		started <- nil
		r.err = cmd.Wait()
		if errors.Is(r.err, exec.ErrWaitDelay) {
			r.err = nil // the process ended without an error; a child of the process kept the output open
		}
		flush()
		close(r.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return r, nil
}

// terminate requests a clean end of the process, and continues a frozen process so that the process
// receives the request.
func (r *processRun) terminate() error {
	if err := r.process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if err := r.process.Signal(continueSignal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// kill kills the process and its children, and waits until the process has ended.
func (r *processRun) kill() {
	if r.running() {
		killGroup(r.process)
	}
	<-r.done
}

func readyPath(dir, name string) string { return filepath.Join(dir, name+".ready.json") }
