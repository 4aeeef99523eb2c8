//go:build unix

package stack

import (
	"os"
	"syscall"
)

const (
	pauseSignal    = syscall.SIGSTOP
	continueSignal = syscall.SIGCONT
)

// killGroup kills all processes in the process group of process. process must be the leader of its
// process group.
func killGroup(process *os.Process) {
	// Signal 0 makes os.Process report whether the process still exists. After Wait has returned, the
	// process id may belong to another process.
	if process.Signal(syscall.Signal(0)) == nil {
		_ = syscall.Kill(-process.Pid, syscall.SIGKILL)
	}
	_ = process.Kill()
}
