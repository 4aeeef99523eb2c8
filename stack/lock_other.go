//go:build !unix

package stack

import (
	"context"
	"syscall"
)

const exeSuffix = ".exe"

// lock does nothing on systems that cannot lock files: on such systems, do not run two builds at
// the same time.
func lock(context.Context, string) (unlock func(), err error) { return func() {}, nil }

func groupAttributes() *syscall.SysProcAttr { return nil }
