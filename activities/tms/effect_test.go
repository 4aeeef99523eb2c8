package tms_test

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

func (r *fixture) loadPlaybook(text string) {
	r.t.Helper()
	loaded, err := playbook.Load([]byte(text))
	if err != nil {
		r.t.Fatal(err)
	}
	r.playbook.Playbook = loaded
	r.newWorker(tms.ReferenceTag{Attribute: "oppflow"})
}

type effectOutcome struct {
	undoEntry exchange.UndoEntry
	// requests are the requests that were executed, whatever their status.
	requests []exchange.EffectRequestKind
	// problem says why the effect is not complete; "" means that the effect is complete.
	problem string
	// attendees are the attendees with all contacts that are known after the inspections.
	attendees []exchange.Attendee
	// inDoubt, note and overbooked are values from the last inspection.
	inDoubt    []int
	note       string
	overbooked []exchange.OverbookedEvent
	// places are the states of the places in the result of the last inspection.
	places []exchange.InterestPlaces
}

func (e *effectOutcome) setContacts(contacts []opportunity.ID) {
	for i, contact := range contacts {
		if contact != "" {
			e.attendees[i].Contact, e.attendees[i].Person = contact, nil
		}
	}
}

// runEffect inspects and executes the effect as the workflow does, until the effect is complete or
// cannot be completed.
func (r *fixture) runEffect(in activities.EffectInput) effectOutcome {
	r.t.Helper()
	out := effectOutcome{undoEntry: in.UndoEntry, attendees: slices.Clone(in.Attendees)}
	in.Now = r.now()
	var sent *exchange.EffectRequest
	for range 20 {
		in.UndoEntry, in.Request, in.Attendees = out.undoEntry, nil, out.attendees
		looked := mustRunActivity[activities.InspectResult](r, activities.InspectEffect, in)
		out.undoEntry, out.inDoubt, out.note, out.overbooked = looked.UndoEntry, looked.PeopleInDoubt, looked.Note, looked.Overbooked
		out.places = looked.Places
		out.setContacts(looked.Contacts)
		switch {
		case looked.Error != nil:
			out.problem = looked.Error.Error()
			return out
		case looked.Request == nil:
			return out
		case sent != nil && reflect.DeepEqual(sent, looked.Request):
			out.problem = "nothing shows"
			return out
		}
		in.UndoEntry, in.Request = out.undoEntry, looked.Request
		acted := mustRunActivity[activities.ExecuteResult](r, activities.ExecuteEffect, in)
		out.requests = append(out.requests, looked.Request.Kind)
		switch acted.Status {
		case exchange.StatusDone:
			out.undoEntry, sent = acted.UndoEntry, looked.Request
			out.setContacts(acted.Contacts)
			if !looked.Request.Kind.IsVerifiable() {
				return out
			}
		case exchange.StatusRejected:
			out.problem = acted.Error.Error()
			return out
		case exchange.StatusNotSent:
			out.problem = "not sent: " + string(acted.Reason)
			return out
		case exchange.StatusUnknown:
			if sent = nil; !looked.Request.Kind.IsVerifiable() {
				out.problem = "unknown"
				return out
			}
		}
	}
	r.t.Fatal("it never ends")
	return out
}

// wantEffect fails unless the effect is complete, the effect executed the requests acts, and the
// worker sent the given number of API requests.
func (r *fixture) wantEffect(got effectOutcome, requests int, acts ...exchange.EffectRequestKind) {
	r.t.Helper()
	if got.problem != "" || !cmp.Equal(got.requests, acts) {
		r.t.Errorf("acts %q, want %q; problem %q", got.requests, acts, got.problem)
	}
	if n := r.requestCount(); n != requests {
		r.t.Errorf("%d requests, want %d", n, requests)
	}
}

func (r *fixture) wantProblem(got effectOutcome, requests int, says string, acts ...exchange.EffectRequestKind) {
	r.t.Helper()
	if !strings.Contains(got.problem, says) || says == "" || !cmp.Equal(got.requests, acts) {
		r.t.Errorf("acts %q, want %q; problem %q, want %q", got.requests, acts, got.problem, says)
	}
	if n := r.requestCount(); n != requests {
		r.t.Errorf("%d requests, want %d", n, requests)
	}
}

func settings[S any](e exchange.Effect) S {
	if s := exchange.SettingsOf[S](e.Settings); s != nil {
		return *s
	}
	return *new(S)
}

func changeSettings[S any](e *exchange.Effect, change func(*S)) {
	s := settings[S](*e)
	change(&s)
	e.Settings = exchange.NewSettings(s)
}

// client returns a client whose requests do not pass through the worker.
func (r *fixture) client() *administrate.Client {
	r.t.Helper()
	api, err := administrate.New(administrate.Options{Options: transport.Options{URL: r.url, Tokens: oauth.StaticToken(r.token), Burst: 1000, RequestsPerSecond: 1000}})
	if err != nil {
		r.t.Fatal(err)
	}
	return api
}

func (r *fixture) attributes(record opportunity.ID) map[string]string {
	r.t.Helper()
	links, err := r.client().OpportunityLinks(r.t.Context(), string(record))
	if err != nil {
		r.t.Fatal(err)
	}
	all := make(map[string]string)
	for _, a := range links.Attributes {
		all[a.Key] = a.Value
	}
	r.requestCount()
	return all
}

func (r *fixture) setAttribute(record opportunity.ID, key, value string) {
	r.t.Helper()
	_, err := r.client().UpdateOpportunity(r.t.Context(), administrate.UpdateOpportunity{
		ID: string(record), Attributes: []administrate.Attribute{{Key: key, Value: value}},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.requestCount()
}

// loseNextAnswer makes the sandbox execute the next mutation and lose its response.
func (r *fixture) loseNextAnswer() {
	done := false
	r.interceptRequests(func(w http.ResponseWriter, q *http.Request) bool {
		if text := readBody(r.t, q); done || !strings.Contains(text, "mutation ") {
			return false
		}
		done = true
		r.sandbox.Handler().ServeHTTP(discardResponse{http.Header{}}, q)
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
}

type discardResponse struct{ header http.Header }

func (d discardResponse) Header() http.Header            { return d.header }
func (d discardResponse) Write(text []byte) (int, error) { return len(text), nil }
func (d discardResponse) WriteHeader(int)                {}

func attributesEffect(record opportunity.ID, values map[string]string) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: exchange.Effect{
		Key: "1/x/before/1/attributes", Kind: opportunity.EffectAttributes, Settings: exchange.NewSettings(exchange.EnsureAttributes{Values: values}),
	}}
}

func TestAttributesAreSetOnceAndRestoredOnUndo(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{Attribute: "oppflow"})
	record := r.createRecord("A-1")
	r.setAttribute(record, "po", "old")
	in := attributesEffect(record, map[string]string{"po": "PO 17", "by": "Oppflow", "none": ""})
	done := r.runEffect(in)
	r.wantEffect(done, 3, exchange.RequestSetAttributes)
	want := map[string]string{"oppflow": "A-1", "po": "PO 17", "by": "Oppflow"}
	if diff := cmp.Diff(want, r.attributes(record)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"po": "old", "by": ""}, done.undoEntry.Attributes); diff != "" {
		t.Error(diff)
	}
	r.wantEffect(r.runEffect(in), 1) // the attributes are set already

	in.Undo, in.UndoEntry = true, done.undoEntry
	r.wantEffect(r.runEffect(in), 3, exchange.RequestSetAttributes)
	got := r.attributes(record)
	maps.DeleteFunc(got, func(_, value string) bool { return value == "" })
	if diff := cmp.Diff(map[string]string{"oppflow": "A-1", "po": "old"}, got); diff != "" {
		t.Errorf("taken back: %s", diff)
	}
	r.wantEffect(r.runEffect(in), 1)
}

// Earlier versions of Oppflow stored the original attributes in the notes of the effect.
func TestAttributesOfAnEarlierVersionAreWrittenBack(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{InName: true})
	record := r.createRecord("A-1")
	in := attributesEffect(record, map[string]string{"po": "PO 17"})
	r.setAttribute(record, "po", "PO 17")
	in.Undo, in.UndoEntry = true, exchange.UndoEntry{Notes: map[string]string{"po": "old"}}
	r.requestCount()
	r.wantEffect(r.runEffect(in), 3, exchange.RequestSetAttributes)
	if got := r.attributes(record); got["po"] != "old" {
		t.Errorf("attributes %q", got)
	}
}

func TestEveryKindOfEffectsHasAHandler(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{InName: true})
	record := r.createRecord("A-1")
	for field := range reflect.TypeFor[playbook.EffectRule]().Fields() {
		kind, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if kind == "when" {
			continue
		}
		in := activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: exchange.Effect{Key: "1/" + kind, Kind: opportunity.EffectKind(kind)}}
		var failed *temporal.ApplicationError
		if _, err := runActivity[activities.InspectResult](r, activities.InspectEffect, in); errors.As(err, &failed) && failed.Type() == string(activities.ReasonUnknownEffectKind) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestAttributesThatSomebodyChangedSinceStay(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	in := attributesEffect(record, map[string]string{"po": "PO 17", "by": "Oppflow"})
	done := r.runEffect(in)
	r.requestCount()
	r.setAttribute(record, "po", "theirs")
	in.Undo, in.UndoEntry = true, done.undoEntry
	r.wantEffect(r.runEffect(in), 3, exchange.RequestSetAttributes)
	if got := r.attributes(record); got["po"] != "theirs" || got["by"] != "" {
		t.Errorf("attributes %q", got)
	}
}

func TestAttributesWhoseAnswerIsLostAreFoundSet(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	in := attributesEffect(record, map[string]string{"po": "PO 17"})
	r.requestCount()
	r.loseNextAnswer()
	done := r.runEffect(in)
	r.wantEffect(done, 3, exchange.RequestSetAttributes)
	if diff := cmp.Diff(map[string]string{"po": ""}, done.undoEntry.Attributes); diff != "" {
		t.Error(diff)
	}
}

func TestAPlaybookCannotSetTheReferenceTag(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{Attribute: "oppflow"})
	record := r.createRecord("A-1")
	r.requestCount()
	r.wantProblem(r.runEffect(attributesEffect(record, map[string]string{"oppflow": "B-2"})), 0, "reference tag")
}

func TestEffectsOfAnotherRunSendNothing(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.requestCount()
	soon := time.Now().Add(time.Hour)
	for _, effect := range []exchange.Effect{
		{Kind: opportunity.EffectAttributes, Settings: exchange.NewSettings(exchange.EnsureAttributes{})},
		{Kind: opportunity.EffectReserve, Settings: exchange.NewSettings(exchange.EnsureReservation{Until: soon})},
		{Kind: opportunity.EffectExtend, Settings: exchange.NewSettings(exchange.EnsureReservation{Until: soon})},
		{Kind: opportunity.EffectRelease},
		{Kind: opportunity.EffectInvoice, Settings: exchange.NewSettings(exchange.EnsureInvoice{})},
		{Kind: opportunity.EffectTokens, Settings: exchange.NewSettings(exchange.AwaitTokens{})},
		{Kind: opportunity.EffectEmail, Settings: exchange.NewSettings(exchange.SendEmail{})},
		{Kind: opportunity.EffectLog, Settings: exchange.NewSettings(exchange.WriteLog{})},
		{Kind: opportunity.EffectCall, Settings: exchange.NewSettings(exchange.CallService{})},
	} {
		in := activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: effect, Request: &exchange.EffectRequest{}, RunID: "another"}
		out := mustRunActivity[activities.ExecuteResult](r, activities.ExecuteEffect, in)
		if out.Status != exchange.StatusNotSent || out.Reason != activities.ReasonReset || out.RunID == "" {
			t.Errorf("%s: %+v", effect.Kind, out)
		}
	}
	if n := r.requestCount(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// readBody returns the body of a request and leaves the body readable.
func readBody(t *testing.T, q *http.Request) string {
	t.Helper()
	text, err := io.ReadAll(q.Body)
	if err != nil {
		t.Error(err)
	}
	q.Body = io.NopCloser(strings.NewReader(string(text)))
	return string(text)
}
