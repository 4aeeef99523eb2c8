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
	// The name is in the worker's cache: the next start needs a single request.
	in.Reference, in.ResolvedNames = "A-2", nil
	if out = r.create(in); out.Status != exchange.StatusDone {
		t.Fatalf("created again %+v", out)
	}
	if n := r.requestCount(); n != 1 {
		t.Errorf("the second create took %d requests", n)
	}
	// The cache forgets the name after its time.
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
		9: fmt.Sprintf(`"First Aid at Work" matches more than one event: %s and %s; give the id`, id(opportunity.TypeEvent, 2), id(opportunity.TypeEvent, 3)),
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
	// Names in the cache need no request; names that could not be resolved are looked up again.
	if r.resolve(got[0].UnresolvedName); r.requestCount() != 0 {
		t.Error("a name the worker knows was looked up again")
	}
	if r.resolve(got[1].UnresolvedName); r.requestCount() != 1 {
		t.Error("a name that was not found is not looked up again")
	}
}

// The API refuses each request for learning paths. The worker still looks up names of other kinds.
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

// The GraphQL root field for learning paths is switched off. The error asks the caller for the id.
// The worker still looks up names of other kinds.
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

// TestResolveManyNames: a start may name a hundred items, and one request looks up twenty.
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
