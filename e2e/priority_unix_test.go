//go:build unix

package e2e_test

import "syscall"

// giveWay lowers the priority of this process and of the parts that it starts. Six tests side by side, each of several
// processes, would otherwise take most of the time of the packages that are tested meanwhile.
func giveWay() error { return syscall.Setpriority(syscall.PRIO_PROCESS, 0, 4) }
