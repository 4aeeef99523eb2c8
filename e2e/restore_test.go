//go:build unix

package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/opportunity"
)

// Temporal's database is lost and restored from a backup. Oppflow makes no change again that was
// made after the backup, and the view agrees with the record.
func TestNothingIsDoneTwiceAfterARestore(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	program, err := harness.Program()
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	up := func(flags string) *shell {
		s := &shell{t: t, env: os.Environ()}
		s.startUp(ctx, program+" up --data "+data+flags)
		return s
	}
	view := func(s *shell, reference string) (view opportunity.View) {
		t.Helper()
		out := s.run(ctx, program+" show "+reference+" --output json")
		if err := json.Unmarshal([]byte(out), &view); err != nil {
			t.Fatalf("%v in:\n%s", err, out)
		}
		return view
	}
	add := func(reference, order string) string {
		return program + " add-interest " + reference + " --item Q291cnNlOjE= --quantity 1 --amount 10 --request-id " + order
	}

	before := up("")
	before.run(ctx, program+` start r-1 --name "One" --region UK && `+program+` start r-2 --name "Two" --region UK`)
	before.run(ctx, program+" pause r-1 --reason backup && "+add("r-1", "order-77")+" --signal")
	harness.Eventually(t, time.Minute, "order-77 waits", func() bool { return len(view(before, "r-1").Queue) == 1 })
	before.stop()
	database := filepath.Join(data, "temporal.db")
	backup := time.Now()
	copied := backUp(t, database)

	lost := up("")
	lost.run(ctx, program+" resume r-1 && "+add("r-2", "order-78"))
	harness.Eventually(t, time.Minute, "order-77 is done", func() bool { return len(view(lost, "r-1").Interests) == 1 })
	lost.run(ctx, program+` start r-3 --name "Three" --region UK`)
	third := view(lost, "r-3").Opportunity
	lost.stop()
	for range 2 {
		copied(t)

		idle := up(" --no-worker")
		told := idle.run(ctx, program+" recover --backup "+backup.UTC().Format(time.RFC3339))
		if !strings.Contains(told, "2 opportunities") {
			t.Errorf("unexpected output of the command recover: %s", told)
		}
		if want := fmt.Sprintf(`record %s has the reference "r-3", which is unknown to Temporal`, third); strings.Count(told, "is unknown to Temporal") != 1 || !strings.Contains(told, want) {
			t.Errorf("oppflow recover lists:\n%s\nwant only the record of r-3", told)
		}
		idle.stop()

		after := up("")
		harness.Eventually(t, time.Minute, "the views show the changes that were made after the backup", func() bool {
			return len(view(after, "r-1").Interests) == 1 && len(view(after, "r-2").Interests) == 1
		})
		out, err := after.command(ctx, program+" recover --backup "+backup.UTC().Format(time.RFC3339)).CombinedOutput()
		if exitCode(t, err) != 1 || !strings.Contains(string(out), "stop all workers") {
			t.Errorf("unexpected output of the command recover while a worker runs: %s", out)
		}
		after.run(ctx, program+" resume r-1")
		after.run(ctx, add("r-2", "order-78")+" --signal")
		harness.Eventually(t, time.Minute, "a question about order-78 waits", func() bool {
			question := view(after, "r-2").Question
			return question != nil && question.Request == "order-78"
		})
		after.run(ctx, program+" confirm r-2 order-78")
		after.run(ctx, program+` start r-3 --name "Three" --region UK`)
		if got := view(after, "r-3").Opportunity; got != third {
			t.Errorf("the opportunity started after the backup has record %s; want %s", got, third)
		}
		for _, reference := range []string{"r-1", "r-2"} {
			harness.Eventually(t, time.Minute, reference+" has no waiting message and no question", func() bool {
				v := view(after, reference)
				return len(v.Queue) == 0 && v.Question == nil && len(v.Attention) == 0
			})
			if v := view(after, reference); len(v.Interests) != 1 {
				t.Errorf("%s: %d interests; want 1", reference, len(v.Interests))
			}
		}
		after.stop()
	}
}

// backUp copies a file and the files that SQLite stores beside that file.
func backUp(t *testing.T, path string) func(t *testing.T) {
	t.Helper()
	kept := map[string][]byte{}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if kept[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	return func(t *testing.T) {
		t.Helper()
		now, err := filepath.Glob(path + "*")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range now {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
		for file, content := range kept {
			if err := os.WriteFile(file, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
