package stack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// module is the path in the go.mod that marks the root of a checkout.
const module = "github.com/oppflow/oppflow"

// RootError says that the parts cannot be built since no checkout of Oppflow was found.
type RootError struct{ problem string }

// Error says where it was looked for.
func (e *RootError) Error() string { return e.problem }

// findRoot returns the checkout's directory: the given one, or the nearest above the working directory.
func findRoot(root string) (string, error) {
	if root != "" {
		abs, err := filepath.Abs(root)
		if err != nil {
			return "", err
		}
		if !isRoot(abs) {
			return "", &RootError{problem: fmt.Sprintf("%s is not a checkout of Oppflow: it has no go.mod of module %s", root, module)}
		}
		return abs, nil
	}
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if isRoot(dir) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", &RootError{problem: start + " is not inside a checkout of Oppflow; change into it or name it"}
		}
	}
}

func isRoot(dir string) bool {
	content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(content)) {
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == "module" {
			return fields[1] == module
		}
	}
	return false
}

// program is a main package of the checkout.
type program struct {
	name   string // of the binary
	dir    string // of its module, below the root
	pkg    string
	race   bool
	strip  bool
	notice string // narrated before a build that takes long
}

// builder builds programs of one checkout into one directory of the user's cache.
type builder struct {
	root  string
	cache string
	say   func(string)
}

// newBuilder makes the directory. Without a cache directory for the user, it is one below the system's temporary
// directory, so that a later run finds it there.
func newBuilder(root string, say func(string)) (*builder, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		base = filepath.Join(os.TempDir(), fmt.Sprintf("oppflow-cache-%d", os.Getuid()))
	}
	sum := sha256.Sum256([]byte(root))
	b := &builder{root: root, cache: filepath.Join(base, "oppflow", hex.EncodeToString(sum[:8])), say: say}
	if err := os.MkdirAll(b.cache, 0o700); err != nil {
		return nil, fmt.Errorf("no place for the built programs: %w", err)
	}
	return b, nil
}

// build brings the program's binary up to date and returns its path. What has not changed is not linked again. Several
// processes may build at once: they take turns. A binary that runs meanwhile is not disturbed.
func (b *builder) build(ctx context.Context, p program) (string, error) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return "", fmt.Errorf("the %s is built with the go command, which is not on the PATH; install Go", p.name)
	}
	dir := filepath.Join(b.cache, "plain")
	if p.race {
		dir = filepath.Join(b.cache, "race")
	}
	// go build finishes by moving the new binary to its place, which replaces the old one in one step, but only if its
	// working directory is on the same file system. Otherwise it removes the old one and copies, and who starts it just
	// then finds nothing or half of it.
	work := filepath.Join(b.cache, "work")
	for _, d := range []string{dir, work} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return "", fmt.Errorf("no place for the built programs: %w", err)
		}
	}
	binary := filepath.Join(dir, p.name+exeSuffix)
	unlock, err := lock(ctx, binary+".lock")
	if err != nil {
		return "", fmt.Errorf("waiting for another build of the %s: %w", p.name, err)
	}
	defer unlock()

	if _, err := os.Stat(binary); errors.Is(err, os.ErrNotExist) && p.notice != "" {
		b.say(p.notice)
	}
	// The version control stamp would have every commit link everything again.
	args := []string{"build", "-C", filepath.Join(b.root, p.dir), "-buildvcs=false", "-o", binary}
	if p.race {
		args = append(args, "-race")
	}
	if p.strip {
		args = append(args, "-ldflags=-s -w")
	}
	args = append(args, p.pkg)
	cmd := exec.CommandContext(ctx, goTool, args...)
	cmd.Env = append(os.Environ(), "GOTMPDIR="+work, "GOWORK=off")
	cmd.SysProcAttr = groupAttributes()
	cmd.Cancel = func() error {
		killGroup(cmd.Process)
		return nil
	}
	cmd.WaitDelay = pipeGrace
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", fmt.Errorf("building the %s: %w", p.name, context.Cause(ctx))
		}
		last := &tail{}
		_, _ = last.Write(output.Bytes())
		return "", fmt.Errorf("building the %s: %w\n%s", p.name, err, last)
	}
	return binary, nil
}
