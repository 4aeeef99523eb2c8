//go:build unix

package testrun

import (
	"os"
	"runtime"
	"syscall"
)

// loweredVariable says that the process runs with the lower priority.
const loweredVariable = "OPPFLOW_TESTS_LOWERED"

// LowerPriority lowers the priority of this process and of the processes that it starts. The tests
// on real parts run many processes side by side. Without LowerPriority, these processes would take
// most of the processor time from packages that are tested at the same time. The processes also
// collect garbage less often, which saves an eighth of their processor time. TestMain calls
// LowerPriority first, because LowerPriority executes the program again: Linux gives a priority to
// a thread, and the other threads of a running process keep their priority. With CI=true
// LowerPriority does nothing, so that no test fails because other processes compile at the same
// time. LowerPriority returns the error of the operating system.
func LowerPriority() error {
	switch {
	case os.Getenv(ciVariable) == "true":
		return nil
	case os.Getenv(loweredVariable) != "":
		return os.Unsetenv(loweredVariable)
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, 10); err != nil {
		return err
	}
	environment := append(os.Environ(), loweredVariable+"=true")
	if os.Getenv("GOGC") == "" {
		environment = append(environment, "GOGC=400")
	}
	return syscall.Exec(program, os.Args, environment)
}
