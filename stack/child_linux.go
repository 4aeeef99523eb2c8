package stack

import "syscall"

// childAttributes returns attributes with which a part has a process group of its own and ends when
// the thread that started the part ends.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
