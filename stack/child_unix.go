//go:build unix && !linux

package stack

import "syscall"

// childAttributes returns attributes with which a part has a process group of its own. Unix systems
// other than Linux cannot make a part end when its parent process ends.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
