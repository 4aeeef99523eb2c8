//go:build !unix

package stack

import "syscall"

func childAttributes() *syscall.SysProcAttr { return nil }
