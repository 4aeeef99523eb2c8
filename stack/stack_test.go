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

// A program of the caller receives the addresses of the parts, can override the variables of the
// stack, and ends with the stack.
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
	// If the stack did not remove the variables below from the worker's environment, a worker would
	// change the data of a real tenant.
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
// that the directory is empty. A process belongs to a stack with TMPDIR if its arguments contain
// the path of a ready file in TMPDIR.
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
	// The worker starts last, so all other parts are ready when the worker's output begins.
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
			if err := part.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "is already running") {
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
