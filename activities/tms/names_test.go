package tms_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox"
)

func TestCreateByNames(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	start := opportunity.Start{Name: "First Aid", Region: "dominican republic", Account: "Administrate", Currency: "GBP", EntryStep: "opportunity"}
	r.namespace.runs = []string{"default-test-run-id"}
	in := activities.CreateInput{Reference: "A-1", Start: start}
	out := r.create(in)
	if out.Status != exchange.StatusNotSent || out.Reason != activities.ReasonUnresolvedNames {
		t.Fatalf("with names nobody resolved: %+v", out)
	}
	if diff := cmp.Diff([]exchange.UnresolvedName{
		{Type: opportunity.TypeRegion, Text: "dominican republic"}, {Type: opportunity.TypeAccount, Text: "Administrate"}, {Type: opportunity.TypeStep, Text: "opportunity"},
	}, out.MissingNames); diff != "" {
		t.Error(diff)
	}
	if n := r.requestCount(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	in.ResolvedNames = r.resolve(out.MissingNames...)
	if n := r.requestCount(); n != 1 {
		t.Errorf("names took %d requests", n)
	}
	out = r.create(in)
	if out.Status != exchange.StatusDone || out.Record.ID.Type() != opportunity.TypeOpportunity || out.Record.Step.ID != stepTwo || out.Record.Step.Stage.State != opportunity.Open {
		t.Fatalf("created %+v", out)
	}
	want := opportunity.Details{Name: "First Aid", Account: opportunity.Ref{ID: id(opportunity.TypeAccount, 2), Name: "Administrate"}, Currency: "GBP"}
	if diff := cmp.Diff(want, out.Record.Details); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(opportunity.Ref{ID: regionDR, Name: "Dominican Republic"}, out.Region); diff != "" {
		t.Error(diff)
	}
	r.requestCount()
	// The worker's cache contains the name, so the next start needs only one request.
	in.Reference, in.ResolvedNames = "A-2", nil
	if out = r.create(in); out.Status != exchange.StatusDone {
		t.Fatalf("created again %+v", out)
	}
	if n := r.requestCount(); n != 1 {
		t.Errorf("the second create took %d requests", n)
	}
	r.mu.Lock()
	r.clockOffset = time.Hour
	r.mu.Unlock()
	if out = r.create(in); out.Reason != activities.ReasonUnresolvedNames {
		t.Errorf("an hour later: %+v", out)
	}
}

func TestResolveNames(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	got := r.resolve(
		exchange.UnresolvedName{Type: opportunity.TypeStep, Text: "Won"},
		exchange.UnresolvedName{Type: opportunity.TypeStep, Text: "Nowhere"},
		exchange.UnresolvedName{Type: opportunity.TypeCourse, Text: "ABC-123"},
		exchange.UnresolvedName{Type: opportunity.TypeCourse, Text: "My New Course"},
		exchange.UnresolvedName{Type: opportunity.TypeEvent, Text: "My New Course"},
		exchange.UnresolvedName{Type: opportunity.TypePath, Text: "LP-1"},
		exchange.UnresolvedName{Type: opportunity.TypeTokens, Text: "Training Token"},
		exchange.UnresolvedName{Type: exchange.TypeCurrency, Text: "Euros"},
		exchange.UnresolvedName{Type: opportunity.TypeAccount, Text: "Nobody Ltd"},
		exchange.UnresolvedName{Type: opportunity.TypeEvent, Text: "First Aid at Work"},
	)
	want := []opportunity.ID{stepWon, "", course, course, event, path, tokens, "EUR", "", ""}
	for i, id := range want {
		if got[i].ID != id || (got[i].Error == nil) != (id != "") {
			t.Errorf("%q means %q, %v; want %q", got[i].Text, got[i].ID, got[i].Error, id)
		}
	}
	for i, message := range map[int]string{
		1: `no step is called "Nowhere"; the names in the TMS are "Proposed", "Opportunity", "Won", "Lost", "Archived"`,
		8: `no account is called "Nobody Ltd"`,
		9: fmt.Sprintf(`"First Aid at Work" matches more than one event; give the id: %s ("First Aid at Work", code FA-1-01, starts 2031-04-07T09:30:00) and %s ("First Aid at Work", code FA-1-02, starts 2031-05-12T09:00:00)`,
			id(opportunity.TypeEvent, 2), id(opportunity.TypeEvent, 3)),
	} {
		if got[i].Error == nil || got[i].Error.Message != message {
			t.Errorf("got  %v\nwant %s", got[i].Error, message)
		}
	}
	if got[1].Error.Type != opportunity.NotFound || got[9].Error.Type != opportunity.Invalid {
		t.Errorf("types %s and %s", got[1].Error.Type, got[9].Error.Type)
	}
	if n := r.requestCount(); n != 1 {
		t.Errorf("ten names took %d requests", n)
	}
	if r.resolve(got[0].UnresolvedName); r.requestCount() != 0 {
		t.Error("a name the worker knows was looked up again")
	}
	if r.resolve(got[1].UnresolvedName); r.requestCount() != 1 {
		t.Error("a name that was not found is not looked up again")
	}
}

// The API refuses each request for learning paths.
func TestNamesDependOnTheirOwnRootAlone(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.interceptRequests(func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.Contains(readBody(t, q), "learningPaths") {
			return false
		}
		w.WriteHeader(http.StatusInternalServerError)
		return true
	})
	for name, want := range map[exchange.UnresolvedName]opportunity.ID{
		{Type: opportunity.TypeCourse, Text: "ABC-123"}:        course,
		{Type: opportunity.TypeEvent, Text: "My New Course"}:   event,
		{Type: opportunity.TypeTokens, Text: "Training Token"}: tokens,
		{Type: opportunity.TypeStep, Text: "Won"}:              stepWon,
	} {
		if got := r.resolve(name); got[0].ID != want {
			t.Errorf("%q means %+v; want %s", name.Text, got[0], want)
		}
	}
}

// The worker does not look up learning paths, because the GraphQL root field for learning paths is
// switched off.
func TestNamesOfAKindThatIsNotLookedUp(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	api, err := administrate.New(administrate.Options{Options: transport.Options{URL: r.url, Tokens: oauth.StaticToken(r.token)}, Assumed: administrate.Assumptions{LearningPaths: administrate.Off}})
	if err != nil {
		t.Fatal(err)
	}
	r.options.API = api
	r.newWorker(tms.ReferenceTag{})
	got := r.resolve(exchange.UnresolvedName{Type: opportunity.TypePath, Text: "LP-1"}, exchange.UnresolvedName{Type: opportunity.TypeCourse, Text: "ABC-123"})
	if fault := got[0].Error; fault == nil || fault.Type != opportunity.Invalid || !strings.Contains(fault.Message, `Oppflow cannot find "LP-1" by name in this TMS; give the id`) {
		t.Errorf("a learning path: %v", fault)
	}
	if got[1].ID != course {
		t.Errorf("a course: %+v", got[1])
	}
}

// TestResolveManyNames: a start may name a hundred items, and one request looks up twenty names.
func TestResolveManyNames(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	var names []exchange.UnresolvedName
	for n := range 25 {
		names = append(names, exchange.UnresolvedName{Type: opportunity.TypeCourse, Text: fmt.Sprint("Course ", n)})
	}
	names = append(names, exchange.UnresolvedName{Type: opportunity.TypeCourse, Text: "FA-1"}, exchange.UnresolvedName{Type: opportunity.TypeCourse, Text: "FA-1"})
	got := r.resolve(names...)
	if one := got[0].Error; one == nil || one.Type != opportunity.NotFound {
		t.Errorf("the first is %+v", one)
	}
	for _, one := range got[25:] {
		if one.ID != id(opportunity.TypeCourse, 12) || one.Error != nil {
			t.Errorf("the last is %+v", one)
		}
	}
	if n := r.requestCount(); n != 2 {
		t.Errorf("26 names took %d requests, want 2", n)
	}
}

func TestANameThatMatchesSeveralObjects(t *testing.T) {
	steps := "  - { id: 5, name: Won, stage: 5 }\n"
	r := newFixtureIn(t, tms.ReferenceTag{}, sandbox.Options{Catalogue: catalogueWith(t, steps, steps+"  - { id: 8, name: Won, stage: 4 }\n")})
	twins := make([]opportunity.ID, 7)
	for i := range twins {
		twins[i] = r.account("Twin Ltd")
	}
	got := r.resolve(exchange.UnresolvedName{Type: opportunity.TypeStep, Text: "Won"}, exchange.UnresolvedName{Type: opportunity.TypeStep, Text: "won"},
		exchange.UnresolvedName{Type: opportunity.TypeAccount, Text: "Twin Ltd"})
	steps = fmt.Sprintf(`%s ("Won", stage "Won") and %s ("Won", stage "Opportunity")`, stepWon, id(opportunity.TypeStep, 8))
	accounts := make([]string, 5)
	for i := range accounts {
		accounts[i] = fmt.Sprintf(`%s ("Twin Ltd")`, twins[i])
	}
	for i, want := range []string{
		`"Won" matches more than one step; give the id: ` + steps,
		`"won" matches more than one step; give the id: ` + steps,
		`"Twin Ltd" matches more than one account; give the id: ` + strings.Join(append(accounts, "2 more"), " and "),
	} {
		if got[i].Error == nil || got[i].Error.Type != opportunity.Invalid || got[i].Error.Message != want {
			t.Errorf("got  %v\nwant %s", got[i].Error, want)
		}
	}
}

// A name in another Unicode form or in other upper and lower case is the same name, unless an
// object has exactly the given name.
func TestNamesInAnotherUnicodeForm(t *testing.T) {
	const composed, decomposed = "\u00cele-de-France", "I\u0302le-de-France"
	region := func(key, name string) string { return "  - { id: " + key + ", name: " + name + ", currency: EUR }\n" }
	ireland := region("IE", "Ireland")
	for _, test := range []struct {
		there []string // the names of the regions A, B and so on
		text  string
		want  string // the key of the region, "" for none
		lists int    // how many regions the error lists
	}{
		{[]string{composed}, composed, "A", 0},
		{[]string{composed}, decomposed, "A", 0},
		{[]string{decomposed}, composed, "A", 0},
		{[]string{decomposed}, strings.ToUpper(composed), "A", 0},
		{[]string{composed, decomposed}, composed, "A", 0},
		{[]string{composed, decomposed}, decomposed, "B", 0},
		{[]string{composed, decomposed}, strings.ToLower(composed), "", 2},
		{[]string{composed}, "Ile-de-France", "", 0}, // a letter without its accent is another letter
	} {
		t.Run(fmt.Sprintf("%+q of %+q", test.text, test.there), func(t *testing.T) {
			rows := ireland
			for i, name := range test.there {
				rows += region(string(rune('A'+i)), name)
			}
			r := newFixtureIn(t, tms.ReferenceTag{}, sandbox.Options{Catalogue: catalogueWith(t, ireland, rows)})
			got := r.resolve(exchange.UnresolvedName{Type: opportunity.TypeRegion, Text: test.text})[0]
			switch {
			case test.want != "" && (got.ID != id(opportunity.TypeRegion, test.want) || got.Error != nil):
				t.Errorf("got %q, %v", got.ID, got.Error)
			case test.want == "" && (got.Error == nil || test.lists == 0 && got.Error.Type != opportunity.NotFound):
				t.Errorf("got %q, %v", got.ID, got.Error)
			}
			for i := range test.lists {
				if there := string(id(opportunity.TypeRegion, string(rune('A'+i)))); got.Error == nil || !strings.Contains(got.Error.Message, there) {
					t.Errorf("%v does not list %s", got.Error, there)
				}
			}
		})
	}
}

// The API compares the names of accounts and items character by character.
func TestAnAccountInAnotherUnicodeForm(t *testing.T) {
	const composed, decomposed = "Caf\u00e9 Ltd", "Cafe\u0301 Ltd"
	r := newFixture(t, tms.ReferenceTag{})
	one := r.account(composed)
	for _, text := range []string{composed, decomposed} {
		if got := r.resolve(exchange.UnresolvedName{Type: opportunity.TypeAccount, Text: text})[0]; got.ID != one {
			t.Errorf("%+q is %q, %v; want %s", text, got.ID, got.Error, one)
		}
	}
	other := r.account(decomposed)
	r.newWorker(tms.ReferenceTag{})
	for text, want := range map[string]opportunity.ID{composed: one, decomposed: other} {
		if got := r.resolve(exchange.UnresolvedName{Type: opportunity.TypeAccount, Text: text})[0]; got.ID != want {
			t.Errorf("with both, %+q is %q, %v; want %s", text, got.ID, got.Error, want)
		}
	}
}

// The error for an account that is not found does not list other accounts, because the worker did
// not read all accounts.
func TestANameThatIsNotFoundListsWholeListsOnly(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	got := r.resolve(exchange.UnresolvedName{Type: opportunity.TypeAccount, Text: "Administrate"}, exchange.UnresolvedName{Type: opportunity.TypeAccount, Text: "Nobody Ltd"})
	if want := `no account is called "Nobody Ltd"`; got[1].Error == nil || got[1].Error.Message != want {
		t.Errorf("got %v, want %s", got[1].Error, want)
	}
}

// mergedAccount is the id of an account that no longer exists, because it was merged into another
// account.
var mergedAccount = id(opportunity.TypeAccount, 99)

// newMergedAccountFixture returns a worker that looked up the account "Administrate" before the
// account was merged into another account.
func newMergedAccountFixture(t *testing.T) *fixture {
	t.Helper()
	r := newFixture(t, tms.ReferenceTag{})
	r.respondOnce("accounts(", fmt.Sprintf(`{"data":{"account0":{"edges":[{"node":{"id":%q,"name":"Administrate"}}],"pageInfo":{"totalRecords":1,"hasNextPage":false,"endCursor":""}}}}`, mergedAccount))
	name := exchange.UnresolvedName{Type: opportunity.TypeAccount, Text: "Administrate"}
	if got := r.resolve(name)[0]; got.ID != mergedAccount {
		t.Fatalf("resolved %+v", got)
	}
	r.advanceClock(time.Minute)
	return r
}

// The API rejects the old id, which the caller never gave, so the worker looks up the name again.
func TestACreateLooksUpAMergedAccountAgain(t *testing.T) {
	in := activities.CreateInput{Reference: "A-1", Start: opportunity.Start{Name: "First Aid", Region: string(regionDR), Account: "Administrate"}, SkipEarlierRunCheck: true}
	name := exchange.UnresolvedName{Type: opportunity.TypeAccount, Text: "Administrate"}
	account := id(opportunity.TypeAccount, 2)
	for _, who := range []string{"the worker", "the run"} {
		t.Run(who, func(t *testing.T) {
			r := newMergedAccountFixture(t)
			in := in
			if who == "the run" {
				in.ResolvedNames = []exchange.ResolvedName{{UnresolvedName: name, ID: mergedAccount}}
				r.newWorker(tms.ReferenceTag{})
			}
			out := r.create(in)
			if out.Status != exchange.StatusNotSent || out.Reason != activities.ReasonUnresolvedNames || !cmp.Equal(out.MissingNames, []exchange.UnresolvedName{name}) ||
				!cmp.Equal(out.ResolvedNames, []exchange.ResolvedName{{UnresolvedName: name, ID: account}}) {
				t.Fatalf("with the merged account: %+v", out.CallResult)
			}
			in.ResolvedNames = out.ResolvedNames
			if out = r.create(in); out.Status != exchange.StatusDone || out.Record.Details.Account.ID != account {
				t.Errorf("with the account of now: %+v", out)
			}
		})
	}
}

// The error contains the account's name, not an id that the caller never gave.
func TestAMergedAccountWithoutAName(t *testing.T) {
	r := newMergedAccountFixture(t)
	r.emptyOnce("accounts(", "account0")
	out := r.create(activities.CreateInput{Reference: "A-1", Start: opportunity.Start{Name: "First Aid", Region: string(regionDR), Account: "Administrate"}, SkipEarlierRunCheck: true})
	want := opportunity.Failf(opportunity.NotFound, `no account is called "Administrate"`)
	if out.Status != exchange.StatusRejected || !cmp.Equal(out.Error, want) {
		t.Errorf("created: %+v", out.CallResult)
	}

	r = newMergedAccountFixture(t)
	record := r.createRecord("A-2")
	r.emptyOnce("accounts(", "account0")
	changes := r.apply(record, exchange.Change{Request: "u", Update: &opportunity.UpdateDetails{Account: "Administrate"}}, progress(string(stepTwo)))
	if len(changes.Results) != 2 || changes.Results[0].Status != exchange.StatusRejected || !cmp.Equal(changes.Results[0].Error, want) || changes.Results[1].Status != exchange.StatusDone {
		t.Errorf("updated: %+v", changes)
	}
}

// emptyOnce makes the fixture respond with an empty connection to the next request whose body
// contains words.
func (r *fixture) emptyOnce(words, alias string) {
	r.t.Helper()
	r.respondOnce(words, fmt.Sprintf(`{"data":{%q:{"edges":[],"pageInfo":{"totalRecords":0,"hasNextPage":false,"endCursor":""}}}}`, alias))
}

// When no name explains a rejection, the result is still a rejection, and the worker sends at most
// one more request.
func TestARejectionThatNoNameExplains(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	in := activities.CreateInput{
		Reference: "A-1", Start: opportunity.Start{Name: "First Aid", Region: string(regionDR), Account: "Administrate", EntryStep: string(id(opportunity.TypeStep, 99))}, SkipEarlierRunCheck: true,
		ResolvedNames: r.resolve(exchange.UnresolvedName{Type: opportunity.TypeAccount, Text: "Administrate"}),
	}
	for i, want := range []int{1, 2, 1} {
		r.requestCount()
		if out := r.create(in); out.Status != exchange.StatusRejected || out.Error.Type != opportunity.Rejected {
			t.Errorf("%d: created %+v", i, out.CallResult)
		}
		if n := r.requestCount(); n != want {
			t.Errorf("%d: %d requests, want %d", i, n, want)
		}
		if i == 0 {
			r.advanceClock(time.Minute)
		}
	}
}

// The worker looks up the name of a region that was given by id, because views, lists and
// conditions of a playbook use the name.
func TestARegionByIDHasItsName(t *testing.T) {
	want := opportunity.Ref{ID: regionDR, Name: "Dominican Republic"}
	in := activities.CreateInput{Start: opportunity.Start{Name: "First Aid", Region: string(regionDR)}, SkipEarlierRunCheck: true}
	r := newFixture(t, tms.ReferenceTag{InName: true})
	r.regionsUnread = true
	r.newWorker(tms.ReferenceTag{InName: true})
	for i, requests := range []int{2, 1} {
		in.Reference = opportunity.Reference(fmt.Sprint("A-", i))
		if out := r.create(in); out.Status != exchange.StatusDone || out.Region != want {
			t.Errorf("%d: created %+v", i, out)
		}
		if n := r.requestCount(); n != requests {
			t.Errorf("%d: %d requests, want %d", i, n, requests)
		}
	}
	r.newWorker(tms.ReferenceTag{InName: true})
	if found := mustRunActivity[activities.FindResult](r, activities.FindOpportunity, activities.FindInput{Reference: "A-1", Region: string(regionDR)}); found.Region != want || len(found.Found) != 1 {
		t.Errorf("found %+v", found)
	}
	r.regionsUnread = false
	r.newWorker(tms.ReferenceTag{InName: true})
	r.requestCount()
	in.Reference = "A-3"
	if out := r.create(in); out.Region != want || r.requestCount() != 1 {
		t.Errorf("with the regions of the tenant: created %+v", out)
	}
}

// The worker creates a record even if it cannot read the regions.
func TestARegionWhoseNameCannotBeRead(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.regionsUnread = true
	r.newWorker(tms.ReferenceTag{})
	asked := 0
	r.interceptRequests(func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.Contains(readBody(t, q), "regions(") {
			return false
		}
		asked++
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	out := r.create(activities.CreateInput{Reference: "A-1", Start: opportunity.Start{Name: "First Aid", Region: string(regionDR)}, SkipEarlierRunCheck: true})
	if out.Status != exchange.StatusDone || out.Region != (opportunity.Ref{ID: regionDR}) {
		t.Fatalf("created %+v", out)
	}
	if r.createRecord("A-2"); asked != 1 {
		t.Errorf("the regions were asked for %d times within a minute", asked)
	}
	r.interceptRequests(nil)
	r.advanceClock(2 * time.Minute)
	for _, c := range []struct{ known, want opportunity.Ref }{
		{out.Region, opportunity.Ref{ID: regionDR, Name: "Dominican Republic"}},
		{opportunity.Ref{ID: regionDR, Name: "Republic"}, opportunity.Ref{}}, // the workflow knows the name
		{opportunity.Ref{}, opportunity.Ref{}},                               // an adopted record
	} {
		plan := mustRunActivity[activities.PlanResult](r, activities.PlanOpportunity, activities.PlanInput{Reference: "A-1", Opportunity: out.Record.ID, Region: c.known, Now: r.now()})
		if plan.Record.Details.Region != c.want {
			t.Errorf("known %+v: the plan has the region %+v, want %+v", c.known, plan.Record.Details.Region, c.want)
		}
	}
}

func TestRegionsThatCannotBeLookedUpAreNotAskedForAgain(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.regionsUnread = true
	r.newWorker(tms.ReferenceTag{})
	asked := 0
	r.interceptRequests(func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.Contains(readBody(t, q), "regions(") {
			return false
		}
		asked++
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"errors":[{"message":"Cannot query field \"regions\" on type \"Query\"."}]}`))
		return true
	})
	for i := range 3 {
		r.createRecord(opportunity.Reference(fmt.Sprint("A-", i)))
		r.advanceClock(2 * time.Minute)
	}
	if asked != 1 {
		t.Errorf("the regions were asked for %d times", asked)
	}
}

func TestTheLastKnownNameOfARegion(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.advanceClock(time.Hour)
	r.interceptRequests(func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.Contains(readBody(t, q), "regions(") {
			return false
		}
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	out := r.create(activities.CreateInput{Reference: "A-1", Start: opportunity.Start{Name: "First Aid", Region: string(regionDR)}, SkipEarlierRunCheck: true})
	if want := (opportunity.Ref{ID: regionDR, Name: "Dominican Republic"}); out.Region != want {
		t.Errorf("created in %+v, want %+v", out.Region, want)
	}
}
