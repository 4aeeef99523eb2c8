//go:build unix && !linux

package stack

import "syscall"

// childAttributes gives a part its own process group. These systems cannot tie its life to its parent's.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
