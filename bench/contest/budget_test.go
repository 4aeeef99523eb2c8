package contest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/oppflow/oppflow/bench/contest"
	"github.com/oppflow/oppflow/settings/testrun"
)

// prepared is a ground that is being prepared for a test.
type prepared struct {
	ground *contest.Ground
	err    error
	done   chan struct{}
}

// prepare starts to prepare a ground for the test. The ground is closed when the test ends.
func prepare(t *testing.T, o contest.GroundOptions) *prepared {
	t.Helper()
	o.Progress = func(text string) { fmt.Fprintln(os.Stderr, text) }
	p := &prepared{done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.ground, p.err = contest.Prepare(t.Context(), o)
	}()
	t.Cleanup(func() {
		<-p.done
		if p.err != nil {
			return
		}
		if err := p.ground.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return p
}

// await returns the ground once it is ready.
func (p *prepared) await(t *testing.T) *contest.Ground {
	t.Helper()
	<-p.done
	if errors.Is(p.err, contest.ErrNoPostgres) {
		testrun.Without(t, "PostgreSQL (no initdb in PATH or in /usr/lib/postgresql/*/bin; on Debian: apt-get install postgresql)")
	}
	if p.err != nil {
		t.Fatal(p.err)
	}
	return p.ground
}

// counted returns the counts of a lifecycle, by contestant. On a busy machine a task may be given up and done again,
// which adds to the counts. Nothing ever lowers them. So when the counts are not as wanted, the least of three runs
// is used.
func counted(t *testing.T, g *contest.Ground, wanted func(map[string]contest.Counts) bool) map[string]contest.Counts {
	t.Helper()
	counts := make(map[string]contest.Counts)
	for range 3 {
		all, err := g.Count(t.Context(), g.Contestants())
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range all {
			if before, known := counts[one.Contestant]; !known || one.Events < before.Events {
				counts[one.Contestant] = one.Counts
			}
		}
		if wanted(counts) {
			break
		}
	}
	return counts
}

// The requests, events and actions of a lifecycle do not grow unnoticed. They are the same every time, whatever
// database the server uses.
func TestALifecycleKeepsToItsBudget(t *testing.T) {
	// Both grounds come up at once. While one of them counts, the other is idle.
	inMemory, inPostgres := prepare(t, contest.GroundOptions{}), prepare(t, contest.GroundOptions{Postgres: true, NoSync: true})
	<-inPostgres.done
	counts := counted(t, inMemory.await(t), func(counts map[string]contest.Counts) bool {
		for name, budget := range contest.Budgets() {
			if len(budget.Exceeds(counts[name])) > 0 {
				return false
			}
		}
		return true
	})
	for name, budget := range contest.Budgets() {
		took, counted := counts[name]
		if !counted {
			t.Errorf("%s has a budget and was not counted", name)
		}
		if exceeded := budget.Exceeds(took); len(exceeded) > 0 {
			t.Errorf("%s: %s", name, strings.Join(exceeded, "; "))
		}
		if spared := (contest.Budget{Requests: took.Requests, Events: took.Events, Actions: took.Actions}); spared != budget && len(budget.Exceeds(took)) == 0 {
			t.Errorf("%s took less than its budget, which is to be lowered to %+v", name, spared)
		}
	}
	for name := range counts {
		if _, known := contest.Budgets()[name]; !known && strings.HasPrefix(name, "Oppflow") {
			t.Errorf("%s has no budget", name)
		}
	}
	if base := counts[contest.Base]; base.Requests != contest.Calls || base.Actions != 2*contest.Calls {
		t.Errorf("the bare workflow took %+v; it is one message and one activity for each of %d calls", base, contest.Calls)
	}

	t.Run("on PostgreSQL", func(t *testing.T) {
		exact := cmpopts.IgnoreFields(contest.Counts{}, "Bytes")
		again := counted(t, inPostgres.await(t), func(again map[string]contest.Counts) bool {
			return cmp.Equal(counts, again, exact)
		})
		if diff := cmp.Diff(counts, again, exact); diff != "" {
			t.Errorf("it takes something else (-SQLite +PostgreSQL):\n%s", diff)
		}
	})
}

func TestBudgetsAreExceeded(t *testing.T) {
	budget := contest.Budget{Requests: 7, Events: 77, Actions: 20}
	for name, c := range map[string]struct {
		took contest.Counts
		want string
	}{
		"the same":      {contest.Counts{Requests: 7, Events: 77, Actions: 20, Tasks: 99}, ""},
		"less":          {contest.Counts{Requests: 6, Events: 70, Actions: 19}, ""},
		"more requests": {contest.Counts{Requests: 8, Events: 77, Actions: 20}, "8 requests, 1 more than the budget"},
		"more events":   {contest.Counts{Requests: 7, Events: 80, Actions: 20}, "80 events, 3 more than the budget"},
		"more actions":  {contest.Counts{Requests: 7, Events: 77, Actions: 22}, "22 actions, 2 more than the budget"},
	} {
		if got := strings.Join(budget.Exceeds(c.took), "; "); got != c.want {
			t.Errorf("%s: %q; want %q", name, got, c.want)
		}
	}
}

// The numbers of a lifecycle on the pages are those of the budget.
func TestThePagesTellTheBudgets(t *testing.T) {
	for _, page := range []string{"../../README.md", "../../docs/measurements.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for name, budget := range contest.Budgets() {
			row := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(name) + ` +\| (\d+) +\| (\d+) +\| [\d.]+ +\| [\d.]+ +\| \d+ +\| (\d+) `).FindStringSubmatch(string(text))
			want := []string{fmt.Sprint(budget.Requests), fmt.Sprint(budget.Events), fmt.Sprint(budget.Actions)}
			if len(row) == 0 || !slices.Equal(row[1:], want) {
				t.Errorf("%s: %s: requests, events, actions are told as %q; want %q", page, name, row, want)
			}
		}
	}
}
