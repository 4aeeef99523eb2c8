//go:build unix

package testrun

import (
	"os"
	"runtime"
	"syscall"
)

// loweredVariable is the environment variable of a process that already runs with the lower
// priority.
const loweredVariable = "OPPFLOW_TESTS_LOWERED"

// LowerPriority lowers the priority of this process and of the processes that it starts. Tests that
// start real parts of Oppflow run many processes. Without LowerPriority, packages that are tested
// at the same time would have to wait for these processes. LowerPriority also makes the processes
// collect garbage less often, which saves an eighth of the processor time of the processes.
// TestMain calls LowerPriority before everything else, because LowerPriority executes the program
// again. On Linux a priority belongs to a thread, so the other threads of a running process would
// keep their old priority. With CI=true LowerPriority does nothing, so that no test fails because
// other processes compile at the same time.
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
