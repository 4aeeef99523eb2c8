package compare_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/bench/compare"
	"github.com/oppflow/oppflow/settings/testrun"
)

// preparedEnvironment is an Environment that another goroutine prepares for a test.
type preparedEnvironment struct {
	environment *compare.Environment
	err         error
	done        chan struct{}
}

// The cleanup of the test closes the Environment.
func prepare(t *testing.T, o compare.EnvironmentOptions) *preparedEnvironment {
	t.Helper()
	o.Progress = func(text string) { fmt.Fprintln(os.Stderr, text) }
	p := &preparedEnvironment{done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.environment, p.err = compare.Prepare(t.Context(), o)
	}()
	t.Cleanup(func() {
		<-p.done
		if p.err != nil {
			return
		}
		if err := p.environment.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return p
}

func (p *preparedEnvironment) await(t *testing.T) *compare.Environment {
	t.Helper()
	<-p.done
	if errors.Is(p.err, compare.ErrNoPostgres) {
		testrun.SkipWithout(t, "PostgreSQL (no initdb in PATH or in /usr/lib/postgresql/*/bin; on Debian: apt-get install postgresql)")
	}
	if p.err != nil {
		t.Fatal(p.err)
	}
	return p.environment
}

// leastCounts returns the Counts of one lifecycle for each subject. On a busy machine a task may
// fail and be repeated, which increases the Counts. No other influence changes the Counts. So if
// wanted returns false, leastCounts repeats the measurement up to three times and returns the
// lowest Counts.
func leastCounts(t *testing.T, g *compare.Environment, subjects []compare.Subject, wanted func(map[string]compare.Counts) bool) map[string]compare.Counts {
	t.Helper()
	counts := make(map[string]compare.Counts)
	for range 3 {
		all, err := g.Count(t.Context(), subjects)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range all {
			if before, known := counts[one.Subject]; !known || one.Events < before.Events {
				counts[one.Subject] = one.Counts
			}
		}
		if wanted(counts) {
			break
		}
	}
	return counts
}

// The test fails if the API requests, history events or actions of a lifecycle exceed the budget.
// The counts of API requests, history events and actions are the same in every run and with every
// database of the Temporal server.
func TestALifecycleKeepsToItsBudget(t *testing.T) {
	// The Environment with the Temporal data in memory and the Environment with PostgreSQL start at
	// the same time. While the test counts in one Environment, the other Environment is idle.
	inMemory, inPostgres := prepare(t, compare.EnvironmentOptions{}), prepare(t, compare.EnvironmentOptions{Postgres: true, NoSync: true})
	<-inPostgres.done
	g := inMemory.await(t)
	counts := leastCounts(t, g, g.Subjects(), keepsTo(compare.Budgets()))
	wantBudgets(t, counts, compare.Budgets())
	if base := counts[compare.Base]; base.Requests != compare.Calls || base.Actions != 2*compare.Calls {
		t.Errorf("the counts of the bare workflow are %+v; want one message and one activity for each of %d calls", base, compare.Calls)
	}

	t.Run("on PostgreSQL", func(t *testing.T) {
		exact := cmpopts.IgnoreFields(compare.Counts{}, "Bytes")
		g := inPostgres.await(t)
		again := leastCounts(t, g, g.Subjects(), func(again map[string]compare.Counts) bool {
			return cmp.Equal(counts, again, exact)
		})
		if diff := cmp.Diff(counts, again, exact); diff != "" {
			t.Errorf("the counts differ between the databases (-SQLite +PostgreSQL):\n%s", diff)
		}
	})
}

// keepsTo returns a function that reports whether no count exceeds its budget.
func keepsTo(budgets map[string]compare.Budget) func(map[string]compare.Counts) bool {
	return func(counts map[string]compare.Counts) bool {
		for name, budget := range budgets {
			if len(budget.Exceeds(counts[name])) > 0 {
				return false
			}
		}
		return true
	}
}

func wantBudgets(t *testing.T, counts map[string]compare.Counts, budgets map[string]compare.Budget) {
	t.Helper()
	for name, budget := range budgets {
		took, counted := counts[name]
		if !counted {
			t.Errorf("%s has a budget, but no counts were measured", name)
		}
		if exceeded := budget.Exceeds(took); len(exceeded) > 0 {
			t.Errorf("%s: %s", name, strings.Join(exceeded, "; "))
		}
		if spared := (compare.Budget{Requests: took.Requests, Events: took.Events, Actions: took.Actions}); spared != budget && len(budget.Exceeds(took)) == 0 {
			t.Errorf("%s has lower counts than its budget; lower the budget to %+v", name, spared)
		}
	}
	for name := range counts {
		if _, known := budgets[name]; !known && strings.HasPrefix(name, "Oppflow") {
			t.Errorf("%s has no budget", name)
		}
	}
}

// With the default playbook, a lifecycle does not exceed its budget, and the TMS then contains
// everything that the effects must create.
func TestALifecycleWithThePlaybookKeepsToItsBudget(t *testing.T) {
	withAccount, withNewAccount := prepare(t, compare.EnvironmentOptions{Playbook: "default"}), prepare(t, compare.EnvironmentOptions{NewAccounts: true})
	g := withAccount.await(t)
	subjects := slices.DeleteFunc(g.PlaybookSubjects(), func(s compare.Subject) bool { return s.Name == compare.Base })
	counts := leastCounts(t, g, subjects, keepsTo(compare.PlaybookBudgets()))
	wantRecords(t, g, 2*len(subjects), effects{Account: true, Invoice: true, Tokens: 10})
	g = withNewAccount.await(t)
	subjects = g.NewAccountSubjects()
	maps.Copy(counts, leastCounts(t, g, subjects, keepsTo(compare.PlaybookBudgets())))
	wantRecords(t, g, 2*len(subjects), effects{Account: true})
	wantBudgets(t, counts, compare.PlaybookBudgets())
}

// wantRecords checks that each record of the environment has the effects, and that there are at least
// the given number of records.
func wantRecords(t *testing.T, g *compare.Environment, atLeast int, want effects) {
	t.Helper()
	records := 0
	for after := ""; ; {
		page, err := g.API().Opportunities(t.Context(), administrate.Search{First: 100, After: after})
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range page.Rows {
			records++
			wantEffects(t, g.API(), record.ID, want)
		}
		if after = page.NextCursor; after == "" {
			break
		}
	}
	if records < atLeast {
		t.Errorf("%d records, want at least %d", records, atLeast)
	}
}

// effects are the effects that the playbook must have made for a won opportunity.
type effects struct {
	Account, Invoice bool
	Tokens           int
}

// wantEffects checks the record of a won opportunity: its account, its tokens and its draft invoice.
// If the record has learners, wantEffects checks their contacts, their registrations, and that the
// places are released.
func wantEffects(t *testing.T, api *administrate.Client, id string, want effects) {
	t.Helper()
	ctx := t.Context()
	record, err := api.Opportunity(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	links, err := api.OpportunityLinks(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	billing, err := api.Billing(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	issued, err := api.TokenIssues(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	tokens := 0
	for _, issue := range issued.Issues {
		tokens += issue.Quantity
	}
	got := effects{Account: links.Account != nil, Invoice: billing.Invoice != nil, Tokens: tokens}
	if record.Step.Stage.State != "Won" || len(record.Interests) != 6 || got != want {
		t.Errorf("%s: state %s, %d interests, %+v; want Won, 6 interests, %+v", record.Name, record.Step.Stage.State, len(record.Interests), got, want)
	}
	emails, event := compare.LearnersOf(record)
	if record.Reservations.Valid != (len(emails) == 0) {
		t.Errorf("%s: reservation %+v", record.Name, record.Reservations)
	}
	if len(emails) == 0 {
		return
	}
	found, err := api.ContactsByEmails(ctx, emails, "")
	if err != nil {
		t.Fatal(err)
	}
	var contacts []string
	for _, contact := range found.Contacts {
		contacts = append(contacts, contact.ID)
	}
	enrolled, err := api.Enrolments(ctx, event, contacts, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(contacts) != len(emails) || len(enrolled.Learners) != len(emails) {
		t.Errorf("%s: %d contacts and %d registrations, want %d", record.Name, len(contacts), len(enrolled.Learners), len(emails))
	}
}

func TestBudgetsAreExceeded(t *testing.T) {
	budget := compare.Budget{Requests: 7, Events: 77, Actions: 20}
	for name, c := range map[string]struct {
		took compare.Counts
		want string
	}{
		"the same":      {compare.Counts{Requests: 7, Events: 77, Actions: 20, Tasks: 99}, ""},
		"less":          {compare.Counts{Requests: 6, Events: 70, Actions: 19}, ""},
		"more requests": {compare.Counts{Requests: 8, Events: 77, Actions: 20}, "8 requests, 1 more than the budget"},
		"more events":   {compare.Counts{Requests: 7, Events: 80, Actions: 20}, "80 events, 3 more than the budget"},
		"more actions":  {compare.Counts{Requests: 7, Events: 77, Actions: 22}, "22 actions, 2 more than the budget"},
	} {
		if got := strings.Join(budget.Exceeds(c.took), "; "); got != c.want {
			t.Errorf("%s: %q; want %q", name, got, c.want)
		}
	}
}

// README.md and docs/measurements.md contain the same numbers of API requests, history events and
// actions as the budgets.
func TestDocsStateTheBudgets(t *testing.T) {
	for _, page := range []string{"../../README.md", "../../docs/measurements.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.SplitN(string(text), "\nThe next table shows the counts with the default playbook", 2)
		wantRows(t, page, parts[0], compare.Budgets())
		if len(parts) > 1 {
			wantRows(t, page, parts[1], compare.PlaybookBudgets())
		}
	}
}

func wantRows(t *testing.T, page, text string, budgets map[string]compare.Budget) {
	t.Helper()
	for name, budget := range budgets {
		row := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(name) + ` +\| (\d+) +\| (\d+) +\| [\d.]+ +\| [\d.]+ +\| \d+ +\| (\d+) `).FindStringSubmatch(text)
		want := []string{fmt.Sprint(budget.Requests), fmt.Sprint(budget.Events), fmt.Sprint(budget.Actions)}
		if len(row) == 0 || !slices.Equal(row[1:], want) {
			t.Errorf("%s: %s: the row with its requests, events and actions is %q; want the counts %q", page, name, row, want)
		}
	}
}
