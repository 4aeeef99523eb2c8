//go:build unix && !linux

package stack

import "syscall"

// childAttributes gives a part its own process group. Unix systems other than Linux cannot make a
// part end with its parent.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
