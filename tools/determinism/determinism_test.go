package determinism

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.." // the checkout, relative to this package

// writeModule writes a module with Oppflow's own dependencies and linter configuration.
func writeModule(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".golangci.yml", "go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	for name, text := range files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// If the tool reports a problem, the exit code of the tool must be in codes.
func run(t *testing.T, dir string, codes []int, tool string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "tool", "-n", tool).Output()
	if err != nil {
		t.Fatalf("go tool -n %s: %v", tool, err)
	}
	cmd := exec.CommandContext(t.Context(), strings.TrimSpace(string(out)), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOLANGCI_LINT_CACHE="+t.TempDir(), "GOWORK=off")
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || !slices.Contains(codes, exit.ExitCode())) {
		t.Fatalf("%s: %v\n%s", tool, err, both.String())
	}
	return both.String()
}

func TestTheClockIsForbidden(t *testing.T) {
	const reads = "\n\nimport \"time\"\n\n// When reads the clock.\nfunc When() time.Time { return time.Now() }\n"
	const renamed = "\n\nimport clock \"time\"\n\n// Wait waits.\nfunc Wait() { clock.Sleep(2 * clock.Second) }\n"
	dir := writeModule(t, map[string]string{
		"opportunity/clock.go":      "package opportunity" + reads,
		"opportunity/clock_test.go": "package opportunity" + strings.ReplaceAll(reads, "When", "whenTested"),
		"playbook/clock.go":         "package playbook" + reads,
		"workflows/clock.go":        "package workflows" + reads,
		"workflows/sleep.go":        "package workflows" + renamed,
		"activities/clock.go":       "package activities" + reads,
		"activities/tms/clock.go":   "package tms" + reads,
		"starter/clock.go":          "package starter" + reads,
	})
	got := run(t, dir, []int{1}, "golangci-lint", "run", "--enable-only=forbidigo", "./...")
	for _, file := range []string{
		"opportunity/clock.go:", "playbook/clock.go:", "workflows/clock.go:", "workflows/sleep.go:", "activities/clock.go:",
	} {
		if !strings.Contains(got, file) {
			t.Errorf("%s reads the clock, but the linter did not report the file", file)
		}
	}
	for _, file := range []string{"activities/tms/clock.go:", "starter/clock.go:", "opportunity/clock_test.go:"} {
		if strings.Contains(got, file) {
			t.Errorf("%s may read the clock, but the linter reported the file", file)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

func TestWorkflowcheckFindsWhatItIsFor(t *testing.T) {
	dir := writeModule(t, map[string]string{
		"workflows/workflows.go": `package workflows

import (
	"encoding/json"
	"fmt"
	"sort"
	"time"

	"go.temporal.io/sdk/workflow"
)

func Good(ctx workflow.Context, names map[string]int) ([]string, error) {
	if err := workflow.Sleep(ctx, time.Minute); err != nil {
		return nil, fmt.Errorf("sleeping: %w", err)
	}
	sum := 0
	//workflowcheck:ignore a sum is the same in every order
	for _, n := range names {
		sum += n
	}
	keys := append(workflow.DeterministicKeys(names), fmt.Sprint(sum))
	if _, err := json.Marshal(keys); err != nil {
		return nil, err
	}
	sort.Strings(keys)
	return keys, nil
}

func Print(workflow.Context) { fmt.Println("once more on every replay") }

func Clock(ctx workflow.Context) error {
	return workflow.SetUpdateHandler(ctx, "when", func(workflow.Context) (time.Time, error) { return now(), nil })
}

func now() time.Time { return time.Now() }

func Order(_ workflow.Context, names map[string]int) (last string) {
	for name := range names {
		last = name
	}
	return last
}

func Thread(workflow.Context) { go func() {}() }
`,
	})
	config, err := filepath.Abs("workflowcheck.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got := run(t, dir, []int{1, 3}, "workflowcheck", "-config", config, "-test=false", "./workflows/...")
	for _, bad := range []string{"workflows.Clock", "workflows.Print", "workflows.Order", "workflows.Thread"} {
		if !strings.Contains(got, bad+" is non-deterministic") {
			t.Errorf("%s differs between replays, but workflowcheck did not report the function", bad)
		}
	}
	if strings.Contains(got, "workflows.Good") {
		t.Error("workflows.Good is deterministic, but workflowcheck refused workflows.Good")
	}
	if t.Failed() {
		t.Log(got)
	}
}
