package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

var fence = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

// The README's shell blocks are run as they stand, in its order, and its
// program too: what it says works.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	shell := &shell{t: t, env: os.Environ()}
	blocks := map[string]int{}
	for _, block := range fence.FindAllStringSubmatch(string(text), -1) {
		language, code := block[1], block[2]
		blocks[language]++
		switch {
		case language == "go":
			program, err := os.ReadFile("testdata/firstmessage/main.go")
			if err != nil {
				t.Fatal(err)
			}
			if string(program) != code {
				t.Fatal("the README's program is not e2e/testdata/firstmessage/main.go")
			}
			out := shell.run(ctx, "go run ./e2e/testdata/firstmessage")
			if !strings.Contains(out, "stands in step Proposed") || !strings.Contains(out, "TransitionNotFound") {
				t.Errorf("the program wrote:\n%s", out)
			}
		case language != "sh":
		case code == "go test -timeout 20m ./...\n": // this test is a part of it
		case code == "go run ./starter up\n":
			shell.up(ctx)
		case strings.HasPrefix(code, "go run ./starter demo"):
			out := shell.run(ctx, code)
			if !strings.Contains(out, "as documented") || strings.Contains(out, "✗") {
				t.Errorf("the demo wrote:\n%s", out)
			}
		default:
			out := shell.run(ctx, code)
			for _, want := range []string{"First Aid course", "reserved until", "Opportunity", "Won"} {
				if !strings.Contains(out, want) {
					t.Errorf("%q is missing in what the commands wrote:\n%s", want, out)
				}
			}
		}
	}
	if blocks["sh"] != 4 || blocks["go"] != 1 {
		t.Errorf("blocks found: %v; want 4 of the shell and a program", blocks)
	}
}

// shell runs blocks in one environment, which grows by what up prints.
type shell struct {
	t   *testing.T
	env []string
}

// run runs a block in the checkout and answers what it wrote; any command in it
// that fails is an error.
func (s *shell) run(ctx context.Context, code string) string {
	s.t.Helper()
	command := s.command(ctx, "set -e\n"+code)
	out, err := command.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", code, err, out)
	}
	return string(out)
}

func (s *shell) command(ctx context.Context, code string) *exec.Cmd {
	command := exec.CommandContext(ctx, "bash", "-c", code)
	command.Dir, command.Env = "..", s.env
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGINT) }
	command.WaitDelay = time.Minute
	return command
}

// up starts the parts in the background until the test ends, and takes over
// what it says to export.
func (s *shell) up(ctx context.Context) {
	s.t.Helper()
	ctx, stop := context.WithCancel(ctx)
	command := s.command(ctx, "exec go run ./starter up")
	var out lockedBuffer
	command.Stdout, command.Stderr = &out, &out
	if err := command.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		stop() // Ctrl-C
		_ = command.Wait()
	})
	eventually(s.t, 12*time.Minute, "up says what to export", func() bool {
		return out.contains("export ADMINISTRATE_TOKEN=") && out.contains("oppflow show")
	})
	exports := regexp.MustCompile(`(?m)^\s*export (\w+=\S+)$`).FindAllStringSubmatch(out.tail(10_000), -1)
	if len(exports) != 4 {
		s.t.Fatalf("up printed %d exports; want 4:\n%s", len(exports), out.tail(10_000))
	}
	for _, export := range exports {
		s.env = append(s.env, export[1])
	}
}
