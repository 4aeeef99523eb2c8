package stack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

const (
	// lockNoticeDelay is the time after which a build reports that it waits for another build of
	// the same programs.
	lockNoticeDelay = 2 * time.Second
	// plainDir, raceDir and workDir are subdirectories of a builder's own directory. plainDir and
	// raceDir are for binaries, and workDir is for the temporary files of the go command. At the
	// end, go build moves the new binary from workDir to plainDir or raceDir in one step, because
	// the directories are on one file system. Between two file systems, go build would copy the
	// binary, and a program that starts during the copy would find no complete binary.
	plainDir = "plain"
	raceDir  = "race"
	workDir  = "work"
)

// buildJob describes one run of the go command, which builds programs of one module with the same
// flags.
type buildJob struct {
	target   string   // name for messages, such as "the Temporal server"
	dir      string   // directory of the module, below the root
	programs []string // main packages, relative to the module: "." or "./name"
	race     bool
	flags    []string
	notice   string // the message when one of the programs was never built
}

func (j buildJob) packages() []string {
	paths := make([]string, 0, len(j.programs))
	for _, program := range j.programs {
		paths = append(paths, path.Join(module, filepath.ToSlash(j.dir), program))
	}
	return paths
}

func (j buildJob) compileFlags() []string {
	if j.race {
		return append([]string{"-race"}, j.flags...)
	}
	return j.flags
}

// builder builds programs of one checkout into one directory of the user's cache.
type builder struct {
	root     string
	cache    string
	progress func(string)
	onBuild  func(Build)
}

// If the user has no cache directory, the builder's directories are below the system's temporary
// directory, so that a later run finds the directories.
func newBuilder(root string, say func(string), show func(Build)) (*builder, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		base = filepath.Join(os.TempDir(), fmt.Sprintf("oppflow-cache-%d", os.Getuid()))
	}
	sum := sha256.Sum256([]byte(root))
	b := &builder{root: root, cache: filepath.Join(base, "oppflow", hex.EncodeToString(sum[:8])), progress: say, onBuild: show}
	for _, d := range []string{plainDir, raceDir, workDir} {
		if err := os.MkdirAll(filepath.Join(b.cache, d), 0o700); err != nil {
			return nil, fmt.Errorf("the directory for the built programs cannot be created: %w", err)
		}
	}
	return b, nil
}

// The go command names each binary by the last element of the program's import path.
func (b *builder) binaries(j buildJob) []string {
	dir := plainDir
	if j.race {
		dir = raceDir
	}
	paths := make([]string, 0, len(j.programs))
	for _, pkg := range j.packages() {
		paths = append(paths, filepath.Join(b.cache, dir, path.Base(pkg)+exeSuffix))
	}
	return paths
}

// built reports whether the builder has ever built all programs of the jobs, even from older
// sources.
func (b *builder) built(jobs ...buildJob) bool {
	for _, j := range jobs {
		for _, binary := range b.binaries(j) {
			if _, err := os.Stat(binary); errors.Is(err, os.ErrNotExist) {
				return false
			}
		}
	}
	return true
}

// build builds the programs of the job that are not up to date, and returns the paths of all
// binaries of the job. If several processes call build for the same programs at the same time, the
// builds run one after the other. A build does not change a binary that is running.
func (b *builder) build(ctx context.Context, j buildJob) ([]string, error) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return nil, fmt.Errorf("%s cannot be built: the go command is not on the PATH; install Go", j.target)
	}
	binaries := b.binaries(j)
	unlock, err := b.waitTurn(ctx, j)
	if err != nil {
		return nil, fmt.Errorf("the build of %s could not wait for the end of another build: %w", j.target, err)
	}
	defer unlock()

	first := !b.built(j)
	if first && j.notice != "" {
		b.progress(j.notice)
	}
	f := newBuildMonitor(j, first, b.onBuild)
	// If binaries contained the version control stamp, the go command would link every binary again
	// after each commit.
	args := []string{"build", "-C", filepath.Join(b.root, j.dir), "-v", "-json", "-buildvcs=false", "-o", filepath.Dir(binaries[0]) + string(filepath.Separator)}
	cmd := b.command(ctx, goTool, args, j)
	events, text := &lineWriter{onLine: f.onEvent}, &lineWriter{onLine: f.onText}
	cmd.Stdout, cmd.Stderr = events, text
	stop := f.watch(ctx, func(ctx context.Context) ([]string, error) { return b.stale(ctx, goTool, j) })
	err = cmd.Run()
	events.flush()
	text.flush()
	stop(err == nil)
	if err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("the build of %s failed: %w", j.target, context.Cause(ctx))
		}
		return nil, fmt.Errorf("the build of %s failed: %w\n%s", j.target, err, f.problems())
	}
	return binaries, nil
}

// waitTurn waits until no other process builds the programs of the job.
func (b *builder) waitTurn(ctx context.Context, j buildJob) (unlock func(), err error) {
	impatient := time.AfterFunc(lockNoticeDelay, func() { b.progress("waiting for another build of " + j.target + " …") })
	defer impatient.Stop()
	return lock(ctx, b.binaries(j)[0]+".lock")
}

// stale returns the packages that the go command must compile for the job, according to the build
// cache.
func (b *builder) stale(ctx context.Context, goTool string, j buildJob) ([]string, error) {
	args := []string{"list", "-C", filepath.Join(b.root, j.dir), "-deps", "-f", "{{if .Stale}}{{.ImportPath}} {{.StaleReason}}{{end}}"}
	cmd := b.command(ctx, goTool, args, j)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, io.Discard
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	var paths []string
	for line := range strings.Lines(out.String()) {
		pkg, reason, _ := strings.Cut(line, " ")
		// go list also reports a program as stale when the program is compiled and only the program's
		// binary is missing.
		if !strings.Contains(reason, "available in build cache") {
			paths = append(paths, pkg)
		}
	}
	return paths, nil
}

func (b *builder) command(ctx context.Context, goTool string, args []string, j buildJob) *exec.Cmd {
	args = append(args, j.compileFlags()...)
	cmd := exec.CommandContext(ctx, goTool, append(args, j.programs...)...)
	cmd.Env = append(os.Environ(), "GOTMPDIR="+filepath.Join(b.cache, workDir), "GOWORK=off")
	cmd.SysProcAttr = groupAttributes()
	cmd.Cancel = func() error {
		killGroup(cmd.Process)
		return nil
	}
	cmd.WaitDelay = pipeWait
	return cmd
}
