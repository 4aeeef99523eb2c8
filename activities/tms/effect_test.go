package tms_test

import (
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

// follow gives the worker the playbook.
func (r *room) follow(text string) {
	r.t.Helper()
	loaded, err := playbook.Load([]byte(text))
	if err != nil {
		r.t.Fatal(err)
	}
	r.options.Playbook = loaded
	r.worker(tms.Mark{Attribute: "oppflow"})
}

// ended is how an effect ended.
type ended struct {
	trace opportunity.Trace
	// acts are the acts that got an answer, done or not.
	acts []opportunity.ActKind
	// problem is why the effect does not stand; "" when it does.
	problem string
	// attendees are the attendees with the contacts that are known now.
	attendees []opportunity.Attendee
}

// identify stores the contacts of the attendees, as a workflow does.
func (e *ended) identify(contacts []opportunity.ID) {
	for i, contact := range contacts {
		if contact != "" {
			e.attendees[i].Contact, e.attendees[i].Person = contact, nil
		}
	}
}

// ensure inspects and acts until the effect stands or cannot stand, as a workflow does.
func (r *room) ensure(in activities.EffectInput) ended {
	r.t.Helper()
	out := ended{trace: in.Trace, attendees: slices.Clone(in.Attendees)}
	in.Now = r.now()
	var sent *opportunity.Act
	for range 20 {
		in.Trace, in.Act, in.Attendees = out.trace, nil, out.attendees
		looked := do[activities.InspectResult](r, activities.InspectEffect, in)
		out.trace = looked.Trace
		out.identify(looked.Contacts)
		switch {
		case looked.Error != nil:
			out.problem = looked.Error.Error()
			return out
		case looked.Act == nil:
			return out
		case sent != nil && reflect.DeepEqual(sent, looked.Act):
			out.problem = "nothing shows"
			return out
		}
		in.Trace, in.Act = out.trace, looked.Act
		acted := do[activities.CarryOutResult](r, activities.CarryOutEffect, in)
		out.acts = append(out.acts, looked.Act.Kind)
		switch acted.Fate {
		case opportunity.FateDone:
			out.trace, sent = acted.Trace, looked.Act
			out.identify(acted.Contacts)
			if !looked.Act.Kind.IsSeen() {
				return out
			}
		case opportunity.FateRejected:
			out.problem = acted.Error.Error()
			return out
		case opportunity.FateNotSent:
			out.problem = "not sent: " + string(acted.Reason)
			return out
		case opportunity.FateUnknown:
			if sent = nil; !looked.Act.Kind.IsSeen() {
				out.problem = "unknown"
				return out
			}
		}
	}
	r.t.Fatal("it never ends")
	return out
}

// want fails unless the effect stands after these acts and requests.
func (r *room) want(got ended, requests int, acts ...opportunity.ActKind) {
	r.t.Helper()
	if got.problem != "" || !cmp.Equal(got.acts, acts) {
		r.t.Errorf("acts %q, want %q; problem %q", got.acts, acts, got.problem)
	}
	if n := r.requested(); n != requests {
		r.t.Errorf("%d requests, want %d", n, requests)
	}
}

// wantProblem fails unless the effect cannot be ensured and the reason contains these
// words.
func (r *room) wantProblem(got ended, requests int, says string, acts ...opportunity.ActKind) {
	r.t.Helper()
	if !strings.Contains(got.problem, says) || says == "" || !cmp.Equal(got.acts, acts) {
		r.t.Errorf("acts %q, want %q; problem %q, want %q", got.acts, acts, got.problem, says)
	}
	if n := r.requested(); n != requests {
		r.t.Errorf("%d requests, want %d", n, requests)
	}
}

// client returns a client that asks the TMS without the worker.
func (r *room) client() *administrate.Client {
	r.t.Helper()
	api, err := administrate.New(administrate.Options{URL: r.url, Tokens: administrate.StaticToken(r.token), Burst: 1000, RequestsPerSecond: 1000})
	if err != nil {
		r.t.Fatal(err)
	}
	return api
}

// attributes returns the attributes of the record.
func (r *room) attributes(record opportunity.ID) map[string]string {
	r.t.Helper()
	ties, err := r.client().Ties(r.t.Context(), string(record))
	if err != nil {
		r.t.Fatal(err)
	}
	all := make(map[string]string)
	for _, a := range ties.Attributes {
		all[a.Key] = a.Value
	}
	r.requested()
	return all
}

func (r *room) set(record opportunity.ID, key, value string) {
	r.t.Helper()
	_, err := r.client().UpdateOpportunity(r.t.Context(), administrate.UpdateOpportunity{
		ID: string(record), Attributes: []administrate.Attribute{{Key: key, Value: value}},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.requested()
}

// lose makes the sandbox carry out the next mutation and lose its answer.
func (r *room) lose() {
	done := false
	r.answerInstead(func(w http.ResponseWriter, q *http.Request) bool {
		if text := body(r.t, q); done || !strings.Contains(text, "mutation ") {
			return false
		}
		done = true
		r.box.Handler().ServeHTTP(discard{http.Header{}}, q)
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
}

// discard is a response that nobody receives.
type discard struct{ header http.Header }

func (d discard) Header() http.Header            { return d.header }
func (d discard) Write(text []byte) (int, error) { return len(text), nil }
func (d discard) WriteHeader(int)                {}

func attributesEffect(record opportunity.ID, values map[string]string) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: opportunity.Effect{
		Key: "1/x/before/1/attributes", Kind: opportunity.EffectAttributes, Attributes: &opportunity.EnsureAttributes{Values: values},
	}}
}

func TestAttributesAreSetOnceAndTakenBack(t *testing.T) {
	r := newRoom(t, tms.Mark{Attribute: "oppflow"})
	record := r.created("A-1")
	r.set(record, "po", "old")
	in := attributesEffect(record, map[string]string{"po": "PO 17", "by": "Oppflow", "none": ""})
	done := r.ensure(in)
	r.want(done, 3, opportunity.ActSetAttributes)
	want := map[string]string{"oppflow": "A-1", "po": "PO 17", "by": "Oppflow"}
	if diff := cmp.Diff(want, r.attributes(record)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"po": "old", "by": ""}, done.trace.Values); diff != "" {
		t.Error(diff)
	}
	r.want(r.ensure(in), 1) // the attributes are set already

	in.Undo, in.Trace = true, done.trace
	r.want(r.ensure(in), 3, opportunity.ActSetAttributes)
	got := r.attributes(record)
	maps.DeleteFunc(got, func(_, value string) bool { return value == "" })
	if diff := cmp.Diff(map[string]string{"oppflow": "A-1", "po": "old"}, got); diff != "" {
		t.Errorf("taken back: %s", diff)
	}
	r.want(r.ensure(in), 1)
}

func TestAttributesThatSomebodyChangedSinceStay(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	in := attributesEffect(record, map[string]string{"po": "PO 17", "by": "Oppflow"})
	done := r.ensure(in)
	r.requested()
	r.set(record, "po", "theirs")
	in.Undo, in.Trace = true, done.trace
	r.want(r.ensure(in), 3, opportunity.ActSetAttributes)
	if got := r.attributes(record); got["po"] != "theirs" || got["by"] != "" {
		t.Errorf("attributes %q", got)
	}
}

func TestAttributesWhoseAnswerIsLostAreFoundSet(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	in := attributesEffect(record, map[string]string{"po": "PO 17"})
	r.requested()
	r.lose()
	done := r.ensure(in)
	r.want(done, 3, opportunity.ActSetAttributes)
	if diff := cmp.Diff(map[string]string{"po": ""}, done.trace.Values); diff != "" {
		t.Error(diff)
	}
}

func TestAPlaybookCannotSetTheMark(t *testing.T) {
	r := newRoom(t, tms.Mark{Attribute: "oppflow"})
	record := r.created("A-1")
	r.requested()
	r.wantProblem(r.ensure(attributesEffect(record, map[string]string{"oppflow": "B-2"})), 0, "mark")
}

func TestEffectsOfAnotherRunSendNothing(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	r.requested()
	soon := time.Now().Add(time.Hour)
	for _, effect := range []opportunity.Effect{
		{Kind: opportunity.EffectAttributes, Attributes: &opportunity.EnsureAttributes{}},
		{Kind: opportunity.EffectReserve, Reserve: &opportunity.HoldPlaces{Until: soon}},
		{Kind: opportunity.EffectExtend, Extend: &opportunity.HoldPlaces{Until: soon}},
		{Kind: opportunity.EffectRelease},
		{Kind: opportunity.EffectInvoice, Invoice: &opportunity.EnsureInvoice{}},
		{Kind: opportunity.EffectTokens, Tokens: &opportunity.AwaitTokens{}},
		{Kind: opportunity.EffectEmail, Email: &opportunity.SendEmail{}},
		{Kind: opportunity.EffectLog, Log: &opportunity.WriteLog{}},
		{Kind: opportunity.EffectCall, Call: &opportunity.CallService{}},
	} {
		in := activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: effect, Act: &opportunity.Act{}, Run: "another"}
		out := do[activities.CarryOutResult](r, activities.CarryOutEffect, in)
		if out.Fate != opportunity.FateNotSent || out.Reason != activities.ReasonReset || out.Run == "" {
			t.Errorf("%s: %+v", effect.Kind, out)
		}
	}
	if n := r.requested(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// body returns the body of a request and keeps the body readable.
func body(t *testing.T, q *http.Request) string {
	t.Helper()
	text, err := io.ReadAll(q.Body)
	if err != nil {
		t.Error(err)
	}
	q.Body = io.NopCloser(strings.NewReader(string(text)))
	return string(text)
}
