package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/playbook"
	"github.com/oppflow/oppflow/playbook/diagnostic"
)

func writePlaybook(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "playbook.yaml")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// useAsStdin sets os.Stdin to the file.
func useAsStdin(t *testing.T, name string) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stdin
	os.Stdin = file
	t.Cleanup(func() {
		os.Stdin = before
		_ = file.Close()
	})
}

const (
	validPlaybook   = "transitions:\n  - name: lose\n    to: { state: Lost }\n    after:\n      - release: {}\n"
	invalidPlaybook = "transitions:\n  - name: lose\n    to: { state: Lots }\n    after:\n      - relase: {}\n"
)

func TestPlaybookCheckOfAValidPlaybook(t *testing.T) {
	name := writePlaybook(t, validPlaybook)
	loaded, err := playbook.Load([]byte(validPlaybook))
	if err != nil {
		t.Fatal(err)
	}
	oppflow(t, nil, "playbook", "check", name).wantDone(t, name+" has no mistakes; its digest is "+loaded.Digest())
	useAsStdin(t, name)
	oppflow(t, nil, "playbook", "check", "-").wantDone(t, "standard input has no mistakes; its digest is "+loaded.Digest())
}

func TestPlaybookCheckReportsEveryMistake(t *testing.T) {
	name := writePlaybook(t, invalidPlaybook)
	want := []string{
		`:3:18: "Lots" is not one of Open, Won, Lost, Archived; did you mean Lost?`,
		`:5:9: unknown member "relase"; did you mean release?`,
	}
	for _, verb := range []string{"check", "explain"} {
		got := oppflow(t, nil, "playbook", verb, name)
		if got.code != 1 || got.stderr != "oppflow playbook "+verb+": "+name+" has 2 mistakes\n" {
			t.Errorf("exit code %d, standard error %q", got.code, got.stderr)
		}
		if lines := name + want[0] + "\n" + name + want[1] + "\n"; got.stdout != lines {
			t.Errorf("told\n%s\nwant\n%s", got.stdout, lines)
		}
	}
	useAsStdin(t, name)
	got := oppflow(t, nil, "playbook", "check", "-", "--output", "json")
	var read struct {
		File     string
		Digest   *string
		Mistakes []diagnostic.Entry
	}
	if err := json.Unmarshal([]byte(got.stdout), &read); err != nil {
		t.Fatal(err)
	}
	if got.code != 1 || read.File != "standard input" || read.Digest != nil || len(read.Mistakes) != 2 || read.Mistakes[1].Line != 5 {
		t.Errorf("exit code %d, %+v", got.code, read)
	}
}

func TestPlaybookExplain(t *testing.T) {
	oppflow(t, nil, "playbook", "explain").wantDone(t, "On a transition to any step that is Won (win):", "cannot be undone:", "2 business days before the reservation expires")
	name := writePlaybook(t, validPlaybook)
	oppflow(t, nil, "playbook", "explain", name).wantDone(t, "On a transition to any step that is Lost (lose):", "1. release: all places are released")
	useAsStdin(t, writePlaybook(t, ""))
	oppflow(t, nil, "playbook", "explain", "-").wantDone(t, "The playbook does nothing.")
}

func TestPlaybookExplainPrintsTheFileToBeginWith(t *testing.T) {
	got := oppflow(t, nil, "playbook", "explain", "--source")
	got.wantDone(t)
	if got.stdout != string(playbook.DefaultFile()) {
		t.Errorf("printed: %s", got.stdout)
	}
	oppflow(t, nil, "playbook", "check", writePlaybook(t, got.stdout)).wantDone(t, "no mistakes")
}

func TestPlaybookHelp(t *testing.T) {
	for _, args := range [][]string{{"playbook", "check", "--help"}, {"help", "playbook", "explain"}, {"playbook", "explain", "-h"}} {
		got := oppflow(t, nil, args...)
		got.wantDone(t, "Usage:", "standard input")
		if !strings.Contains(got.stdout, "FILE") {
			t.Errorf("%v: %s", args, got.stdout)
		}
	}
}
