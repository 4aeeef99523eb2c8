package compare

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// postgresTimeout is the maximum time until a started PostgreSQL server accepts connections, and
// the maximum time until a stopped server ends.
const postgresTimeout = 30 * time.Second

// The PostgreSQL server listens only on the loopback interface and stores all its files in one
// directory.
type database struct {
	address string
	server  *exec.Cmd
	stop    context.CancelFunc
}

// ErrNoPostgres says that a measurement needs PostgreSQL, but PostgreSQL is not installed.
var ErrNoPostgres = errors.New("PostgreSQL is not installed on this machine (no initdb in PATH or /usr/lib/postgresql/*/bin); on Debian, the command apt-get install postgresql installs PostgreSQL")

// postgresPrograms returns the directory that contains PostgreSQL's programs, such as initdb.
func postgresPrograms() (string, error) {
	if found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); err == nil && len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return "", ErrNoPostgres
	}
	return filepath.Dir(path), nil
}

// startPostgres creates a new database in the directory dir/postgres and starts a PostgreSQL server
// for the database. Every user of this machine can access the database without a password. If
// noSync is false, PostgreSQL waits until its writes are on the disk (the default of PostgreSQL).
func startPostgres(ctx context.Context, dir string, noSync bool) (*database, error) {
	programs, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, "postgres")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	as, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "pgdata")
	create := []string{"--pgdata", data, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8"}
	serve := []string{"-D", data, "-h", "127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200"}
	if noSync {
		create, serve = append(create, "--no-sync"), append(serve, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	initdb := exec.CommandContext(ctx, filepath.Join(programs, "initdb"), create...)
	initdb.Dir, initdb.SysProcAttr = dir, as
	if said, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, bytes.TrimSpace(said))
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	d := &database{address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), stop: stop}
	d.server = exec.CommandContext(running, filepath.Join(programs, "postgres"), append(serve, "-p", strconv.Itoa(port))...)
	d.server.Dir, d.server.SysProcAttr = dir, as
	d.server.Cancel = func() error { return d.server.Process.Signal(syscall.SIGINT) } // the fast shutdown of PostgreSQL
	d.server.WaitDelay = postgresTimeout
	if err := d.server.Start(); err != nil {
		stop()
		return nil, fmt.Errorf("postgres: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, postgresTimeout)
	defer cancel()
	if err := pollUntil(ctx, func() (bool, error) {
		ready := exec.CommandContext(ctx, filepath.Join(programs, "pg_isready"), "-h", "127.0.0.1", "-p", strconv.Itoa(port))
		return ready.Run() == nil, nil
	}); err != nil {
		return nil, errors.Join(fmt.Errorf("the PostgreSQL server does not respond: %w", err), d.close())
	}
	return d, nil
}

func (d *database) close() error {
	d.stop()
	err := d.server.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func freePort(ctx context.Context) (int, error) {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	_, text, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return 0, errors.Join(err, listener.Close())
	}
	port, err := strconv.Atoi(text)
	return port, errors.Join(err, listener.Close())
}
