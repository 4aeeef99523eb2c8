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

// killGroup kills the process and all others of its group, of which it is the leader.
func killGroup(process *os.Process) {
	// Signal 0 asks os.Process whether it is still there: the number of a process that was waited for may belong to a
	// stranger by now.
	if process.Signal(syscall.Signal(0)) == nil {
		_ = syscall.Kill(-process.Pid, syscall.SIGKILL)
	}
	_ = process.Kill()
}
