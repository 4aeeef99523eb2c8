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

// killGroup kills the process and all others of its group. The process is the leader of
// the group.
func killGroup(process *os.Process) {
	// Signal 0 asks os.Process whether the process still exists. After a wait, the process id may
	// belong to another process.
	if process.Signal(syscall.Signal(0)) == nil {
		_ = syscall.Kill(-process.Pid, syscall.SIGKILL)
	}
	_ = process.Kill()
}
