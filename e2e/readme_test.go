//go:build unix

package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/opportunity"
)

var fence = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)\n```$")

// The test runs the README's shell blocks and its program in order, exactly as written.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	shell := &shell{t: t, env: os.Environ()}
	blocks := map[string]int{}
	for _, block := range fence.FindAllStringSubmatch(string(text), -1) {
		language, code := block[1], block[2]+"\n"
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
			if !strings.Contains(out, "is in step Proposed") || !strings.Contains(out, "TransitionNotFound") {
				t.Errorf("the program wrote:\n%s", out)
			}
		case language != "sh":
		case code == "go test ./...\n": // this test is part of that command
		case code == "go run ./starter up\n":
			shell.startUp(ctx, code)
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
		t.Errorf("the README has the code blocks %v; want 4 shell blocks and one program", blocks)
	}
}

// Everything that `oppflow up --data` stores survives a restart: the running opportunity, the
// record in the sandbox and the token. The test runs the built program, because scripts see the
// built program's exit codes.
func TestUpKeepsItsData(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	program, err := harness.Program()
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	first := &shell{t: t, env: os.Environ()}
	first.startUp(ctx, program+" up --data "+data)
	first.run(ctx, program+` start kept --name "Kept" --region UK`)
	first.run(ctx, program+" add-interest kept --item Q291cnNlOjE= --quantity 1 --amount 10 --reserve")
	first.stop()

	second := &shell{t: t, env: os.Environ()}
	second.startUp(ctx, program+" up --data "+data)
	second.run(ctx, program+" progress kept --to Opportunity")
	out := second.run(ctx, program+" show kept --output json")
	var view opportunity.View
	if err := json.Unmarshal([]byte(out), &view); err != nil {
		t.Fatalf("%v in:\n%s", err, out)
	}
	if view.Step == nil || view.Step.Name != "Opportunity" || len(view.Interests) != 1 || view.Reservation == nil || !view.Reservation.Valid {
		t.Errorf("unexpected view after the restart: %+v", view)
	}
	for _, variable := range []string{"ADMINISTRATE_TOKEN"} {
		if first.lookup(variable) == "" || first.lookup(variable) != second.lookup(variable) {
			t.Errorf("%s changed from %q to %q", variable, first.lookup(variable), second.lookup(variable))
		}
	}
	for _, wrong := range []struct {
		arguments string
		code      int
		line      string
	}{
		{"progress kept --to Opportunity", 1, "TransitionNotFound"},
		{"progress kept --to Nowhere", 1, `no step is called "Nowhere"`},
		{"show unknown", 1, "no opportunity unknown"},
		{`start kept --name "Other" --region UK`, 1, "Conflict"},
		{`start other --name "Other" --region Atlantis`, 1, `no region is called "Atlantis"`},
		{"progress kept", 2, "--to is missing"},
		{"add-interest kept --item Q291cnNlOjE= --quantity 0 --amount 10", 2, "whole number"},
		{"shwo kept", 2, "show"},
		{"search --filter regionName", 2, "field=value"},
		{"search --filter colour=red", 1, "colour"},
	} {
		command := second.command(ctx, program+" "+wrong.arguments)
		var stdout, stderr bytes.Buffer
		command.Stdout, command.Stderr = &stdout, &stderr
		err := command.Run()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != wrong.code {
			t.Errorf("%s: got %v; want exit code %d", wrong.arguments, err, wrong.code)
		}
		if got := stderr.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, wrong.line) || stdout.Len() > 0 {
			t.Errorf("%s: wrote %q and on stdout %q; want one line with %q", wrong.arguments, got, stdout.String(), wrong.line)
		}
	}
}

// The variables that `oppflow up` prints are added to the environment.
type shell struct {
	t    *testing.T
	env  []string
	stop func() // stops up like Ctrl-C
}

func (s *shell) lookup(variable string) string {
	for _, entry := range s.env {
		if value, found := strings.CutPrefix(entry, variable+"="); found {
			return value
		}
	}
	return ""
}

// run returns an error if a command in the block fails.
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
	command := exec.CommandContext(ctx, "sh", "-c", code)
	command.Dir, command.Env = "..", s.env
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGINT) }
	command.WaitDelay = time.Minute
	return command
}

// startUp starts the parts in the background until the test ends. startUp adds to the environment
// the variables that the output says to export.
func (s *shell) startUp(ctx context.Context, line string) {
	s.t.Helper()
	ctx, stop := context.WithCancel(ctx)
	command := s.command(ctx, "exec "+line)
	var out harness.Output
	command.Stdout, command.Stderr = &out, &out
	if err := command.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.stop = sync.OnceFunc(func() {
		stop()
		_ = command.Wait()
	})
	s.t.Cleanup(s.stop)
	harness.Eventually(s.t, 12*time.Minute, "oppflow up prints the variables to export", func() bool {
		return out.Contains("export ADMINISTRATE_TOKEN=") && out.Contains("\nThen:\n")
	})
	exports := regexp.MustCompile(`(?m)^\s*export (\w+=\S+)$`).FindAllStringSubmatch(out.Tail(10_000), -1)
	if want := 4 + 2*strings.Count(line, " --encrypt"); len(exports) != want {
		s.t.Fatalf("up printed %d exports; want %d:\n%s", len(exports), want, out.Tail(10_000))
	}
	for _, export := range exports {
		s.env = append(s.env, export[1])
	}
}
