package stack

import "syscall"

// childAttributes gives a part its own process group and makes the part end with the thread that
// starts it.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
