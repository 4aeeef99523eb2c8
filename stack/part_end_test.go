//go:build unix

package stack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

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

	// A part that is frozen can be stopped cleanly and can be killed.
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
	if err := s.Worker().Pause(); err == nil || !strings.Contains(err.Error(), "the process is not running") {
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

// parentVariable is the environment variable that makes the test binary start a stack and wait.
const parentVariable = "STACK_TEST_PARENT"

func fakeParent() int {
	_ = os.Unsetenv(parentVariable)
	s, err := up(context.Background(), Options{}, selfToolchain{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	// A part must not end when the thread that started the part ends.
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
