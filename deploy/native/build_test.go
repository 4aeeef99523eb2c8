//go:build linux

package native_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

// build builds the programs that the container images contain. build runs the instruction of the
// Dockerfile that builds Oppflow's programs, with the files that .dockerignore does not exclude.
// build returns the path of each program by name, and the directory of the Web UI's module as "ui".
//
// build stores the programs in the user's cache directory, so the next build does not link
// unchanged programs again.
func build(t *testing.T, project *types.Project, source string) map[string]string {
	t.Helper()
	bin, env, unlock := buildDir(t, project.WorkingDir)
	defer unlock()
	devserver := filepath.Join(project.WorkingDir, "devserver")
	for program, pkg := range map[string]string{
		"temporal-server":   "go.temporal.io/server/cmd/server",
		"temporal-sql-tool": "go.temporal.io/server/cmd/tools/sql",
		"ui-server":         "github.com/temporalio/ui-server/v2/cmd/server",
	} {
		run(t, devserver, env, "go", "build", "-buildvcs=false", "-tags=disable_grpc_modules", "-ldflags=-s -w", "-o", filepath.Join(bin, program), pkg)
	}
	ui := run(t, devserver, nil, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/temporalio/ui-server/v2")

	if n := dockerContext(t, project.WorkingDir, source); n < 50 {
		t.Fatalf("only %d files are in the build context of the image", n)
	}
	script := buildScript(t, project.WorkingDir)
	script = strings.ReplaceAll(script, "/out/", bin+"/")
	run(t, source, append(env, "TARGETOS="+runtime.GOOS, "TARGETARCH="+runtime.GOARCH), "/bin/sh", "-euc", script)

	programs := map[string]string{"ui": strings.TrimSpace(ui)}
	for _, name := range []string{"temporal-server", "temporal-sql-tool", "ui-server", "oppflow", "oppflow-worker"} {
		programs[name] = filepath.Join(bin, name)
	}
	for name, program := range programs {
		if _, err := os.Stat(program); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return programs
}

// buildDir returns the directory bin for the programs built from the repository in the directory
// checkout. With the environment variables in env, go build replaces a program by a rename on one
// file system. buildDir locks the directory, and the function unlock unlocks the directory for the
// next build.
func buildDir(t *testing.T, checkout string) (bin string, env []string, unlock func()) {
	t.Helper()
	base, err := os.UserCacheDir()
	if err != nil {
		base = t.TempDir()
	}
	sum := sha256.Sum256([]byte(checkout))
	place := filepath.Join(base, "oppflow", "composed-"+hex.EncodeToString(sum[:8]))
	bin, work := filepath.Join(place, "bin"), filepath.Join(place, "work")
	for _, dir := range []string{bin, work} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	lock, err := os.OpenFile(filepath.Join(place, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	return bin, []string{"GOTMPDIR=" + work}, func() { _ = lock.Close() }
}

func buildScript(t *testing.T, dir string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(strings.ReplaceAll(string(content), "\\\n", " ")) {
		if script, found := strings.CutPrefix(line, "RUN "); found && strings.Contains(script, "go build") {
			return regexp.MustCompile(`--mount=\S+`).ReplaceAllString(script, "")
		}
	}
	t.Fatal("no RUN instruction of the Dockerfile runs go build")
	return ""
}

func dockerContext(t *testing.T, from, to string) int {
	t.Helper()
	ignore, err := os.ReadFile(filepath.Join(from, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	var patterns []string
	for line := range strings.Lines(string(ignore)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			patterns = append(patterns, line)
		}
	}
	ignored := func(name string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			subject := name
			if rest, anywhere := strings.CutPrefix(pattern, "**/"); anywhere {
				pattern, subject = rest, path.Base(name)
			}
			matched, err := path.Match(pattern, subject)
			if err != nil {
				t.Fatalf(".dockerignore: %s: %v", pattern, err)
			}
			return matched
		})
	}
	files := 0
	err = filepath.WalkDir(from, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, file)
		if err != nil || name == "." {
			return err
		}
		switch {
		case ignored(filepath.ToSlash(name)):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		case !entry.Type().IsRegular():
			return nil
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		files++
		return os.WriteFile(filepath.Join(to, name), content, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func run(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir, command.Env = dir, append(append(os.Environ(), "GOWORK=off"), env...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	said, err := command.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(said)
}
