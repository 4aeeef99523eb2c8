//go:build !unix

package stack

import (
	"os"
	"syscall"
)

// On systems without the signals for freezing a process, sending such a signal returns an error.
const (
	pauseSignal    = syscall.Signal(0x13)
	continueSignal = syscall.Signal(0x12)
)

func killGroup(process *os.Process) { _ = process.Kill() }
