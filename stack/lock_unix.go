//go:build unix

package stack

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const exeSuffix = ""

// lock locks the file for this process and returns the function that unlocks the file. The system
// also unlocks the file when the process dies.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	// The end of ctx could not interrupt a blocking system call, so lock repeats a system call that
	// does not block.
	_, err = backoff.Retry(ctx, func() (struct{}, error) {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(backoff.NewConstantBackOff(50*time.Millisecond)), backoff.WithMaxElapsedTime(0))
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return func() { _ = file.Close() }, nil
}

// In its own process group, the process does not receive Ctrl-C from a terminal and can be killed
// together with its children.
func groupAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
