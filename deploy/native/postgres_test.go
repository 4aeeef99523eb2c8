//go:build linux

package native_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/oppflow/oppflow/settings/testrun"
)

// If PostgreSQL is not installed, findPostgres skips the test.
func findPostgres(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err == nil && len(found) > 0 {
		return filepath.Dir(found[len(found)-1])
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path)
		}
	}
	testrun.SkipWithout(t, "PostgreSQL (no initdb; on Debian: apt-get install postgresql)")
	return ""
}

// credential returns the operating system user as which a service runs, or nil for the current
// user. PostgreSQL refuses to run as root.
func (u *composeRun) credential(service string) *syscall.Credential {
	if service != "postgresql" || os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
		if uidErr == nil && gidErr == nil && uid != 0 {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return nil
}

// If the data volume is empty, database first initialises the volume in the same way as the
// PostgreSQL image.
func (u *composeRun) database(name string) ([]string, error) {
	data := filepath.Join(u.localPath(name, "/var/lib/postgresql/data"), "pgdata")
	if _, err := os.Stat(data); err == nil {
		return u.serve(data), nil
	}
	volume, as := filepath.Dir(data), u.credential(name)
	for dir := volume; len(dir) > len(u.dir); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o711); err != nil {
			return nil, err
		}
	}
	env := u.environment(name)
	password := filepath.Join(volume, "password")
	if err := os.WriteFile(password, []byte(env["POSTGRES_PASSWORD"]), 0o600); err != nil {
		return nil, err
	}
	if as != nil {
		for _, path := range []string{volume, password} {
			if err := os.Chown(path, int(as.Uid), int(as.Gid)); err != nil {
				return nil, err
			}
		}
	}
	args := append([]string{
		"--pgdata", data, "--username", env["POSTGRES_USER"], "--pwfile", password,
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync",
	}, strings.Fields(env["POSTGRES_INITDB_ARGS"])...)
	command := exec.Command(filepath.Join(u.postgres, "initdb"), args...)
	command.Dir, command.Env = volume, []string{"PATH=/usr/bin:/bin"}
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Credential: as}
	if said, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, said)
	}
	return u.serve(data), nil
}

func (u *composeRun) serve(data string) []string {
	return []string{
		filepath.Join(u.postgres, "postgres"), "-D", data, "-h", loopback, "-p", strconv.Itoa(u.ports["postgresql:5432"]),
		// No service connects through a socket.
		"-c", "unix_socket_directories=",
		// PostgreSQL need not write its data to the disk at once, because the test stops PostgreSQL
		// cleanly.
		"-c", "fsync=off", "-c", "full_page_writes=off",
	}
}
