//go:build linux

package native_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is a running program in its own process group. The program ends at the latest when the
// test process ends.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // why the program ended; read after done
}

func launch(args, env []string, dir, log string, as *syscall.Credential) (*process, error) {
	output, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	// exec.Command is used without a context, because only the methods stop and kill may end the
	// command.
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = env, dir, output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Credential: as}
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel kills the child (Pdeathsig) when the thread that started the child ends. So
		// the thread that starts the child must exist as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer output.Close()
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

func (p *process) isAlive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// stop sends SIGTERM and expects that the process ends with exit status 0 within the grace period.
// If keepsNothing is true (the process stores no data), the process may also end because of the
// signal itself.
func (p *process) stop(grace time.Duration, keepsNothing bool) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.done:
		status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
		if ok && keepsNothing && status.Signaled() && status.Signal() == syscall.SIGTERM {
			return nil
		}
		return p.err
	case <-time.After(grace):
		p.kill()
		return fmt.Errorf("the process did not end within %v", grace)
	}
}

func (p *process) kill() {
	if p.isAlive() {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
}
