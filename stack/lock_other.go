//go:build !unix

package stack

import (
	"context"
	"syscall"
)

const exeSuffix = ".exe"

// lock does nothing on systems that cannot lock files: do not run two builds at once on such
// systems.
func lock(context.Context, string) (unlock func(), err error) { return func() {}, nil }

func groupAttributes() *syscall.SysProcAttr { return nil }
