package stack

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// checkout writes a directory with a small program, and returns a builder that has a separate
// cache.
func checkout(t *testing.T, source string) (*builder, buildJob) {
	t.Helper()
	// The test keeps the cache of the go command, which would be empty in the new cache directory
	// of the user.
	goCache, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(string(goCache)))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	root := t.TempDir()
	write(t, filepath.Join(root, "go.mod"), "// a comment\nmodule "+module+" // another\n\ngo 1.26\n")
	write(t, filepath.Join(root, "child", "main.go"), source)
	b, err := newBuilder(root, func(string) {}, func(Build) {})
	if err != nil {
		t.Fatal(err)
	}
	return b, buildJob{target: "the child", programs: []string{"./child"}}
}

func (b *builder) buildOne(ctx context.Context, j buildJob) (string, error) {
	paths, err := b.build(ctx, j)
	if err != nil {
		return "", err
	}
	return paths[0], nil
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func printingProgram(word string) string {
	return `package main

import "os"

func main() {
	_, _ = os.Stdout.WriteString("` + word + `\n")
	var end [1]byte
	_, _ = os.Stdin.Read(end[:])
	_, _ = os.Stdout.WriteString("` + word + `\n")
}
`
}

func output(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), path).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestBuild(t *testing.T) {
	b, p := checkout(t, printingProgram("one"))
	first, err := b.buildOne(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if got := output(t, first); got != "one\none\n" {
		t.Errorf("it says %q", got)
	}
	before, err := os.Stat(first)
	if err != nil {
		t.Fatal(err)
	}

	// No source file has changed, so the binary is the same file. A second linking would replace the
	// binary with another file.
	if _, err := b.build(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	same, err := os.Stat(first)
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(before, same) {
		t.Error("an unchanged program was linked again")
	}

	// The old binary continues to run, and the new binary is another file.
	running := exec.CommandContext(t.Context(), first)
	stdin, err := running.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	running.Stdout = &said
	if err := running.Start(); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(b.root, "child", "main.go"), printingProgram("two"))
	second, err := b.buildOne(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if err := stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := running.Wait(); err != nil || said.String() != "one\none\n" {
		t.Errorf("the running program was disturbed: %v, it said %q", err, said.String())
	}
	after, err := os.Stat(second)
	if err != nil {
		t.Fatal(err)
	}
	if second != first || os.SameFile(before, after) {
		t.Error("the new program was written into the old one's file")
	}
	if got := output(t, second); got != "two\ntwo\n" {
		t.Errorf("after the change it says %q", got)
	}

	// The new binary is another file even when no binary runs, because another process may start the
	// program during the build.
	write(t, filepath.Join(b.root, "child", "main.go"), printingProgram("three"))
	if _, err := b.build(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	third, err := os.Stat(second)
	if err != nil {
		t.Fatal(err)
	}
	if os.SameFile(after, third) {
		t.Error("the third program was written into the second one's file")
	}
}

func TestBuildSideBySide(t *testing.T) {
	b, p := checkout(t, printingProgram("one"))
	var notices sync.Map
	var group sync.WaitGroup
	for i := range 6 {
		group.Go(func() {
			other, err := newBuilder(b.root, func(text string) {
				if text == "building" {
					notices.Store(i, true)
				}
			}, func(Build) {})
			if err != nil {
				t.Error(err)
				return
			}
			p := p
			p.notice = "building"
			path, err := other.buildOne(t.Context(), p)
			if err != nil {
				t.Error(err)
				return
			}
			if out, err := exec.CommandContext(t.Context(), path).Output(); err != nil || string(out) != "one\none\n" {
				t.Errorf("it says %q, %v", out, err)
			}
		})
	}
	group.Wait()
	builders := 0
	notices.Range(func(any, any) bool { builders++; return true })
	if builders != 1 {
		t.Errorf("%d of 6 found nothing built yet; they did not take turns", builders)
	}
}

func TestBuildWaitingForAnotherCanBeBrokenOff(t *testing.T) {
	b, p := checkout(t, printingProgram("one"))
	path, err := b.buildOne(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := lock(t.Context(), path+".lock")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := b.build(ctx, p); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "could not wait for the end of another build") {
		t.Errorf("got %v", err)
	}
	unlock()
	if _, err := b.build(t.Context(), p); err != nil {
		t.Errorf("after the other one finished: %v", err)
	}
}

func TestBuildErrorShowsTheCompilersWords(t *testing.T) {
	b, p := checkout(t, "package main\n\nfunc main() { undefinedThing() }\n")
	_, err := b.build(t.Context(), p)
	if err == nil || !strings.Contains(err.Error(), "the build of the child failed") || !strings.Contains(err.Error(), "main.go:3:15: undefined: undefinedThing") {
		t.Errorf("got %v", err)
	}
}

func TestFindRoot(t *testing.T) {
	b, _ := checkout(t, printingProgram("one"))
	deep := filepath.Join(b.root, "child", "deep")
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	// A nested module above the working directory is not the root of the checkout.
	write(t, filepath.Join(b.root, "child", "go.mod"), "module "+module+"/child\n")
	t.Chdir(deep)
	got, err := findRoot("")
	if err != nil {
		t.Fatal(err)
	}
	want, err := filepath.EvalSymlinks(b.root)
	if err != nil {
		t.Fatal(err)
	}
	if got, err = filepath.EvalSymlinks(got); err != nil || got != want {
		t.Errorf("from below: %q, %v, want %q", got, err, want)
	}
	if got, err := findRoot(b.root); err != nil || got != b.root {
		t.Errorf("named: %q, %v", got, err)
	}
	if _, err := findRoot(deep); err == nil || !strings.Contains(err.Error(), "is not a checkout of Oppflow") {
		t.Errorf("named wrongly: %v", err)
	}
	t.Chdir(t.TempDir())
	if _, err := findRoot(""); err == nil || !strings.Contains(err.Error(), "is not inside a checkout") {
		t.Errorf("from elsewhere: %v", err)
	}
}
