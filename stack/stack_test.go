//go:build unix

package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A program of the caller gets the addresses of the parts, overrides the variables of the stack,
// and ends with the stack.
func TestAProgramOfOnesOwn(t *testing.T) {
	dump := filepath.Join(t.TempDir(), "dump")
	s, err := fakeStack(t, t.Context(), Options{NoWorker: true})
	if err != nil {
		t.Fatal(err)
	}
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := s.AddProgram("own", path, []string{"--dump", dump}, []string{"TEMPORAL_NAMESPACE=another"})
	if err := program.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	var ran struct{ Args, Env []string }
	content, err := os.ReadFile(dump)
	if err == nil {
		err = json.Unmarshal(content, &ran)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(ran.Args) != 4 || ran.Args[1] != dump || ran.Args[2] != "--ready-file" {
		t.Errorf("it was given %q", ran.Args)
	}
	for _, want := range []string{"TEMPORAL_ADDRESS=" + s.TemporalAddress(), "ADMINISTRATE_URL=" + s.APIURL(), "TEMPORAL_NAMESPACE=another"} {
		if !slices.Contains(ran.Env, want) {
			t.Errorf("it does not find %s", want)
		}
	}
	if slices.Contains(ran.Env, "TEMPORAL_NAMESPACE=default") {
		t.Error("what it was given does not win")
	}
	if err := s.Down(t.Context()); err != nil || program.Running() {
		t.Errorf("after Down it runs: %t; %v", program.Running(), err)
	}
}

func TestUpAndDown(t *testing.T) {
	// With these variables, a worker would use a real tenant if the stack did not remove them.
	t.Setenv("ADMINISTRATE_URL", "https://acme.administrateapp.com/graphql")
	t.Setenv("ADMINISTRATE_TOKEN_FILE", "/secret")
	t.Setenv("TEMPORAL_PROFILE", "cloud")
	t.Setenv("TEMPORAL_API_KEY", "key")
	t.Setenv("OPPFLOW_REFERENCE_TAG", "none")
	t.Setenv("OPPFLOW_LOG_LEVEL", "debug")
	t.Setenv("OPPFLOW_CI_RUN", "17")
	dump := filepath.Join(t.TempDir(), "dump")
	setup, output := make(chan string, 1), new(bytes.Buffer)
	s, err := fakeStack(t, t.Context(), Options{
		DynamicConfig: map[string]any{"limit.historyCount.suggestContinueAsNew": 100},
		WorkerArgs:    []string{"--dump", dump},
		WorkerEnv:     []string{"OPPFLOW_API_RATE=7"},
		Output:        output,
		Setup: func(_ context.Context, address, namespace string) error {
			if _, err := os.Stat(dump); err == nil {
				return errors.New("the worker was started before the setup")
			}
			setup <- address + " " + namespace
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := <-setup, s.TemporalAddress()+" default"; got != want {
		t.Errorf("setup was called with %q, want %q", got, want)
	}
	for _, address := range []string{s.TemporalAddress(), strings.TrimPrefix(s.UIURL(), "http://"), hostOf(s.APIURL())} {
		if !strings.HasPrefix(address, "127.0.0.1:") || !respondsWithin(address, 5*time.Second) {
			t.Errorf("nothing answers at %q", address)
		}
	}

	var worker struct{ Args, Env []string }
	content, err := os.ReadFile(dump)
	if err == nil {
		err = json.Unmarshal(content, &worker)
	}
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"TEMPORAL_ADDRESS=" + s.TemporalAddress(), "TEMPORAL_NAMESPACE=default",
		"ADMINISTRATE_URL=" + s.APIURL(), "ADMINISTRATE_TOKEN=" + s.APIToken(),
		"TEMPORAL_CONFIG_FILE=" + os.DevNull, "OPPFLOW_API_RATE=7", "OPPFLOW_LOG_LEVEL=debug", "OPPFLOW_CI_RUN=17",
	}
	var got []string
	for _, pair := range worker.Env {
		for _, prefix := range []string{"TEMPORAL_", "ADMINISTRATE_", "OPPFLOW_"} {
			if strings.HasPrefix(pair, prefix) {
				got = append(got, pair)
			}
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the worker sees\n%q, want\n%q", got, want)
	}
	for _, pair := range s.Environ() {
		if !slices.Contains(want, pair) {
			t.Errorf("Environ has %q, the worker has not", pair)
		}
	}
	if !strings.HasPrefix(s.APIToken(), "token-") || !slices.Contains(s.Environ(), "ADMINISTRATE_TOKEN="+s.APIToken()) {
		t.Errorf("Environ is %q", s.Environ())
	}

	pids := []int{s.Server().PID(), s.Sandbox().PID(), s.Worker().PID()}
	group, err := syscall.Getpgid(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		if childGroup, err := syscall.Getpgid(pid); err != nil || childGroup == group {
			t.Errorf("process %d would get this program's Ctrl-C: group %d, %v", pid, childGroup, err)
		}
	}
	if err := s.Down(t.Context()); err != nil {
		t.Error(err)
	}
	for _, pid := range pids {
		if !hasExited(pid) {
			t.Errorf("process %d outlives Down", pid)
		}
	}
	if _, err := os.Stat(s.runDir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left behind: %v", s.runDir, err)
	}
	lines := strings.Split(strings.TrimSpace(output.String()), "\n")
	if last := lines[len(lines)-1]; last != "server | server stops" {
		t.Errorf("the server was not stopped last: %q", lines)
	}
	for _, want := range []string{"server | server starts", "sandbox | sandbox starts", "worker | worker stops"} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %q in %q", want, lines)
		}
	}
	if err := s.Down(t.Context()); err != nil {
		t.Errorf("the second Down: %v", err)
	}
}

// controlledToolchain is a toolchain whose builds end when the test says so.
type controlledToolchain struct {
	selfToolchain

	before bool // all programs were built before
	begun  chan string
	end    map[string]chan error
}

func newControlledToolchain(before bool) *controlledToolchain {
	return &controlledToolchain{before: before, begun: make(chan string), end: map[string]chan error{
		serverJob().target: make(chan error), oppflowJob(false).target: make(chan error),
	}}
}

func (o *controlledToolchain) built(...buildJob) bool { return o.before }

func (o *controlledToolchain) build(ctx context.Context, j buildJob) ([]string, error) {
	o.begun <- j.target
	if err := <-o.end[j.target]; err != nil {
		return nil, err
	}
	return o.selfToolchain.build(ctx, j)
}

// bringUp starts a stack of fake parts with the toolchain.
func (o *controlledToolchain) bringUp(t *testing.T) <-chan error {
	t.Helper()
	t.Setenv(fakeVariable, "")
	ended := make(chan error, 1)
	go func() {
		s, err := up(t.Context(), Options{}, o)
		if err == nil {
			err = s.Down(t.Context())
		}
		ended <- err
	}()
	return ended
}

// The first builds run one after the other, because concurrent first builds would compile shared
// packages twice. Later builds do not wait.
func TestFirstBuildsFollowEachOther(t *testing.T) {
	ours, server := oppflowJob(false).target, serverJob().target
	tools := newControlledToolchain(false)
	ended := tools.bringUp(t)
	if got := <-tools.begun; got != ours {
		t.Errorf("the first to be built is %s", got)
	}
	tools.end[ours] <- nil
	if got := <-tools.begun; got != server {
		t.Errorf("the second to be built is %s", got)
	}
	tools.end[server] <- nil
	if err := <-ended; err != nil {
		t.Error(err)
	}

	tools = newControlledToolchain(true)
	ended = tools.bringUp(t)
	if both := []string{<-tools.begun, <-tools.begun}; !slices.Contains(both, ours) || !slices.Contains(both, server) {
		t.Errorf("%q are built", both)
	}
	for _, end := range tools.end {
		end <- nil
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}

	// Up returns the first failure.
	tools = newControlledToolchain(false)
	ended = tools.bringUp(t)
	<-tools.begun
	tools.end[ours] <- errors.New("a mistake in it")
	if err := <-ended; err == nil || err.Error() != "a mistake in it" {
		t.Errorf("got %v", err)
	}
}

func TestUpFailsAtOnceAndLeavesNothing(t *testing.T) {
	tests := map[string]struct {
		behaviour string
		want      []string
	}{
		"death of the server":   {"server=dies", []string{"the server ended before it was ready: exit status 3", "server starts\nserver: the moon is in the wrong phase"}},
		"death of the sandbox":  {"sandbox=dies", []string{"the sandbox ended before it was ready: exit status 3", "sandbox: the moon"}},
		"death of the worker":   {"worker=dies", []string{"the worker ended before it was ready: exit status 3", "worker: the moon"}},
		"unreadable ready file": {"sandbox=garbles", []string{"the sandbox wrote an unreadable ready file"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			start := time.Now()
			_, err := fakeStack(t, t.Context(), Options{}, test.behaviour)
			if err == nil {
				t.Fatal("Up succeeds")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if took := time.Since(start); took > readyTimeout/2 {
				t.Errorf("the failure took %v to be noticed", took)
			}
			checkNothingLeft(t)
		})
	}
}

// checkNothingLeft checks that no process of a stack with the temporary directory TMPDIR runs, and
// that the directory is empty. checkNothingLeft identifies a process by the ready file's name among
// the arguments.
func checkNothingLeft(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if runtime.GOOS != "linux" {
		return
	}
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(commands) == 0 {
		t.Fatalf("no processes to look at: %v", err)
	}
	for _, path := range commands {
		if command, err := os.ReadFile(path); err == nil && bytes.Contains(command, []byte(os.Getenv("TMPDIR")+"/oppflow-")) {
			t.Errorf("still runs: %q", command)
		}
	}
}

func TestNeverReadyEndsWithTheContext(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	// The worker is the last part: the other parts are ready when the worker's output begins.
	seen := writerFunc(func(p []byte) (int, error) {
		if bytes.Contains(p, []byte("worker starts")) {
			cancel(errors.New("no patience left"))
		}
		return len(p), nil
	})
	_, err := fakeStack(t, ctx, Options{Output: seen}, "worker=hangs")
	if err == nil || !strings.Contains(err.Error(), "the worker was killed before it was ready (no patience left)") || !strings.Contains(err.Error(), "worker starts") {
		t.Errorf("got %v", err)
	}
	checkNothingLeft(t)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestFailedSetupFailsUp(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	_, err := fakeStack(t, t.Context(), Options{Setup: func(context.Context, string, string) error { return errors.New("no attributes left") }})
	if err == nil || !strings.Contains(err.Error(), "no attributes left") {
		t.Errorf("got %v", err)
	}
	checkNothingLeft(t)
}

func TestRestartKeepsThePort(t *testing.T) {
	var setups atomic.Int32
	s, err := fakeStack(t, t.Context(), Options{Data: filepath.Join(t.TempDir(), "new"), Setup: func(context.Context, string, string) error {
		setups.Add(1)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range []func(*Process){
		func(p *Process) { p.Kill() },
		func(p *Process) {
			if err := p.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		},
	} {
		for _, part := range s.Parts() {
			before := fmt.Sprint(s.TemporalAddress(), s.UIURL(), s.APIURL())
			pid := part.PID()
			if err := part.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "runs already") {
				t.Errorf("%s: a second start: %v", part.Name(), err)
			}
			end(part)
			if part.Running() || !hasExited(pid) {
				t.Errorf("%s: process %d is still there", part.Name(), pid)
			}
			select {
			case <-part.Exited():
			default:
				t.Errorf("%s: Exited is not closed", part.Name())
			}
			if err := part.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if part.PID() == pid {
				t.Errorf("%s: no new process", part.Name())
			}
			if after := fmt.Sprint(s.TemporalAddress(), s.UIURL(), s.APIURL()); after != before {
				t.Errorf("%s: moved from %s to %s", part.Name(), before, after)
			}
		}
	}
	if setups.Load() != 3 {
		t.Errorf("%d setups for 3 starts of the server", setups.Load())
	}
	if !respondsWithin(s.TemporalAddress(), 5*time.Second) || !respondsWithin(hostOf(s.APIURL()), 5*time.Second) {
		t.Error("not all restarted parts answer")
	}
}

// A start waits for a port that another process uses for a short time.
func TestRestartWaitsForItsPort(t *testing.T) {
	s, err := fakeStack(t, t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Sandbox().Kill()
	squatter, err := net.Listen("tcp", hostOf(s.APIURL()))
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan error, 1)
	first := s.Sandbox().PID()
	go func() { started <- s.Sandbox().Start(t.Context()) }()
	eventually(t, "an attempt fails", func() bool { return s.Sandbox().PID() != first && !s.Sandbox().Running() })
	if err := squatter.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-started; err != nil {
		t.Error(err)
	}
}

func TestWantedPorts(t *testing.T) {
	free := func() int {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = listener.Close() }()
		return listener.Addr().(*net.TCPAddr).Port
	}
	o := Options{TemporalPort: free(), UIPort: free(), APIPort: free()}
	s, err := fakeStack(t, t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for address, port := range map[string]int{s.TemporalAddress(): o.TemporalPort, hostOf(s.UIURL()): o.UIPort, hostOf(s.APIURL()): o.APIPort} {
		if address != net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) {
			t.Errorf("listens on %s, not on port %d", address, port)
		}
	}
}

func TestDataIsKept(t *testing.T) {
	data := filepath.Join(t.TempDir(), "a", "b")
	s, err := fakeStack(t, t.Context(), Options{Data: data, NoUI: true, NoWorker: true})
	if err != nil {
		t.Fatal(err)
	}
	if s.UIURL() != "" || s.Worker().Running() || s.Worker().PID() != 0 {
		t.Errorf("UI %q, worker %d", s.UIURL(), s.Worker().PID())
	}
	if err := s.Worker().Start(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Down(t.Context()); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"temporal.db", "sandbox.db"} {
		if _, err := os.Stat(filepath.Join(data, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestPause(t *testing.T) {
	s, err := fakeStack(t, t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	sandbox, address := s.Sandbox(), hostOf(s.APIURL())
	if !respondsWithin(address, 5*time.Second) {
		t.Fatal("the sandbox does not answer to begin with")
	}
	if err := sandbox.Pause(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the frozen sandbox is silent", func() bool { return !respondsWithin(address, 300*time.Millisecond) })
	if !sandbox.Running() {
		t.Error("a frozen process counts as ended")
	}
	if err := sandbox.Continue(); err != nil {
		t.Fatal(err)
	}
	if !respondsWithin(address, 5*time.Second) {
		t.Error("the sandbox does not answer after it was woken")
	}

	// A frozen process can be stopped cleanly and killed.
	if err := sandbox.Pause(); err != nil {
		t.Fatal(err)
	}
	if err := sandbox.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if !strings.HasSuffix(sandbox.current().tail.String(), "sandbox stops") {
		t.Errorf("it was not stopped cleanly: %q", sandbox.current().tail.String())
	}
	if err := s.Worker().Pause(); err != nil {
		t.Fatal(err)
	}
	s.Worker().Kill()
	if output := s.Worker().current().tail.String(); s.Worker().Running() || strings.Contains(output, "stops") {
		t.Errorf("after Kill: running %v, output %q", s.Worker().Running(), output)
	}
	if err := s.Worker().Pause(); err == nil || !strings.Contains(err.Error(), "it does not run") {
		t.Errorf("pausing a dead process: %v", err)
	}
}

func TestStubbornPartIsKilled(t *testing.T) {
	s, err := fakeStack(t, t.Context(), Options{}, "worker=stubborn")
	if err != nil {
		t.Fatal(err)
	}
	pids := []int{s.Server().PID(), s.Sandbox().PID(), s.Worker().PID()}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := s.Worker().Stop(ctx); err == nil || !strings.Contains(err.Error(), "did not stop in time and was killed") {
		t.Errorf("got %v", err)
	}
	if s.Worker().ExitError() == nil {
		t.Error("a killed process has no exit error")
	}
	if err := s.Down(t.Context()); err != nil {
		t.Errorf("the rest: %v", err)
	}
	for _, pid := range pids {
		if !hasExited(pid) {
			t.Errorf("process %d is still there", pid)
		}
	}
}

func TestUncleanEndIsReported(t *testing.T) {
	s, err := fakeStack(t, t.Context(), Options{}, "sandbox=unclean")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Sandbox().ExitError(); err != nil {
		t.Errorf("while it runs: %v", err)
	}
	pid := s.Server().PID()
	if err := s.Down(t.Context()); err == nil || !strings.Contains(err.Error(), "the sandbox did not stop cleanly: exit status 4") {
		t.Errorf("got %v", err)
	}
	if !hasExited(pid) {
		t.Error("the server was left running")
	}
}

func TestSuddenDeathIsNoticed(t *testing.T) {
	s, err := fakeStack(t, t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	exited := s.Worker().Exited()
	if err := syscall.Kill(s.Worker().PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case <-exited:
	case <-time.After(10 * time.Second):
		t.Fatal("nobody noticed")
	}
	if err := s.Worker().ExitError(); err == nil || !strings.Contains(err.Error(), "killed") || !strings.Contains(err.Error(), "worker starts") {
		t.Errorf("got %v", err)
	}
}

// parentVariable is the variable with which the test binary starts a stack and waits.
const parentVariable = "STACK_TEST_PARENT"

func fakeParent() int {
	_ = os.Unsetenv(parentVariable)
	s, err := up(context.Background(), Options{}, selfToolchain{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	// Threads start and end in a real program. The parts must not depend on the thread that started
	// them.
	for range 50 {
		go func() {
			runtime.LockOSThread() // not unlocked, so that the thread ends with the goroutine
		}()
	}
	fmt.Println(s.Server().PID(), s.Sandbox().PID(), s.Worker().PID())
	select {}
}

func TestPartsDieWithTheirParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux can tie a process to its parent")
	}
	t.Setenv("TMPDIR", t.TempDir()) // a killed parent cannot remove its files
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.CommandContext(t.Context(), executable)
	parent.Env = append(os.Environ(), parentVariable+"=1", fakeVariable+"=")
	stdout, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pids [3]int
	if _, err := fmt.Fscan(stdout, &pids[0], &pids[1], &pids[2]); err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		if hasExited(pid) {
			t.Fatalf("process %d does not run to begin with", pid)
		}
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		eventually(t, fmt.Sprintf("process %d ends with its parent", pid), func() bool { return hasExited(pid) })
	}
	_ = parent.Wait()
}
