//go:build unix

package testrun

import (
	"os"
	"runtime"
	"syscall"
)

// lowered says that the process runs with the lower priority.
const lowered = "OPPFLOW_TESTS_LOWERED"

// GiveWay lowers the priority of this process and of the processes that it starts. The tests on real parts run many
// processes side by side. Without GiveWay, these would take most of the time of the packages that are tested
// meanwhile. The processes also collect garbage less often, which saves an eighth of their processor time. TestMain
// calls GiveWay first, since GiveWay executes the program again: Linux gives a priority to a thread, and the other
// threads of a running process keep theirs. With CI=true GiveWay does nothing, so that no test fails because others
// compile meanwhile. GiveWay returns the error of the operating system.
func GiveWay() error {
	switch {
	case os.Getenv(ci) == "true":
		return nil
	case os.Getenv(lowered) != "":
		return os.Unsetenv(lowered)
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
	environment := append(os.Environ(), lowered+"=true")
	if os.Getenv("GOGC") == "" {
		environment = append(environment, "GOGC=400")
	}
	return syscall.Exec(program, os.Args, environment)
}
