//go:build unix

package stack

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

const exeSuffix = ""

// lock locks the file for this process and returns the function that unlocks the file. The system
// also unlocks the file when the process dies.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	// A wait inside the system call could not be interrupted.
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			_ = file.Close()
			return nil, err
		}
		select {
		case <-ctx.Done():
			_ = file.Close()
			return nil, context.Cause(ctx)
		case <-retry.C:
		}
	}
}

// groupAttributes gives a process its own process group. Ctrl-C in a terminal then does not reach
// the process, and the process can be killed together with its children.
func groupAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
