package tms_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

func (r *room) plan(in activities.PlanInput) activities.PlanResult {
	r.t.Helper()
	in.Reference, in.Now = "A-1", r.now()
	return do[activities.PlanResult](r, activities.PlanOpportunity, in)
}

func (r *room) wantRequests(want int) {
	r.t.Helper()
	if n := r.requested(); n != want {
		r.t.Errorf("%d requests, want %d", n, want)
	}
}

func moving(record opportunity.ID, to string) activities.PlanInput {
	return activities.PlanInput{Opportunity: record, Occasion: opportunity.Occasion{Kind: opportunity.OccasionMove}, Step: to}
}

// kinds returns the kinds of the effects.
func kinds(effects []opportunity.Effect) (all []opportunity.EffectKind) {
	for _, e := range effects {
		all = append(all, e.Kind)
	}
	return all
}

func TestPlanOfAMoveByTheNameOfItsStep(t *testing.T) {
	r := newRoom(t, tms.Mark{Attribute: "oppflow"})
	r.follow(`
transitions:
  - name: on
    from: { step: Proposed }
    to: { step: Opportunity }
    when: attributes["po"] == "PO 17" and region == "Dominican Republic"
    before: [{ attributes: { set: { by: "{{.Name}}" } } }]
  - name: win
    to: { state: Won }
    after: [{ account: {} }]
`)
	record := r.created("A-1")
	r.set(record, "po", "PO 17")
	in := moving(record, "opportunity")
	in.Region = opportunity.Named{ID: regionDR, Name: "Dominican Republic"}
	got := r.plan(in)
	r.wantRequests(2) // the record and the steps; no events
	if got.To.ID != stepTwo || got.To.Stage.State != opportunity.Open || got.Run == "" || got.Record.ID != record || got.Record.Step.ID != proposed {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff(&opportunity.EnsureAttributes{Values: map[string]string{"by": "First Aid"}}, got.Plan.Before[0].Attributes); diff != "" {
		t.Error(diff)
	}
	if want := (activities.Rules{Digest: r.options.Playbook.Digest(), Moves: true}); got.Rules != want {
		t.Errorf("rules %+v", got.Rules)
	}
	in.Step = string(stepWon)
	got = r.plan(in)
	r.wantRequests(1) // the steps are known now, by their ids, too
	if got.To.ID != stepWon || got.To.Stage.State != opportunity.Won || !cmp.Equal(kinds(got.Plan.After), []opportunity.EffectKind{opportunity.EffectAccount}) {
		t.Errorf("by its id: %+v", got)
	}
	in.Step, in.Occasion.To = "", got.To
	if again := r.plan(in); !cmp.Equal(again.Plan, got.Plan) || again.To != got.To {
		t.Errorf("by the step itself: %+v", again)
	}
}

func TestPlanOfAMoveToNowhereIsEmpty(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	r.follow("transitions: [{ name: all, before: [{ account: {} }] }]")
	record := r.created("A-1")
	for _, to := range []string{"Nowhere", string(id(opportunity.TypeStep, 99))} {
		got := r.plan(moving(record, to))
		if got.To != (opportunity.Step{}) || !got.Plan.IsEmpty() || !got.Rules.Moves || got.Record.ID != record {
			t.Errorf("to %q: %+v", to, got)
		}
	}
	// In a TMS that does not show its steps nothing is planned, and the plan says so.
	r.worker(tms.Mark{})
	r.answerInstead(func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.Contains(body(t, q), "opportunitySteps") {
			return false
		}
		_, _ = w.Write([]byte(`{"errors":[{"message":"no field opportunitySteps"}]}`))
		return true
	})
	got := r.plan(moving(record, "Opportunity"))
	if got.To != (opportunity.Step{}) || len(got.Plan.Before) > 0 || len(got.Plan.Problems) != 1 {
		t.Errorf("without steps: %+v", got)
	}
}

func TestPlanOfFollowUpsTellsNewsOfEvents(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	r.follow(`
steps:
  - at: { state: Open }
    followUps:
      - { name: soon, due: { beforeStart: 2 days }, do: { attention: { text: "{{.FirstStart}}" } } }
      - { name: tokens, due: { beforeTokensExpire: 1 days }, do: { attention: { text: t } } }
happenings: [{ name: tell, on: eventCancelled, do: [{ log: { message: m } }] }]
`)
	record := r.created("A-1")
	cancelled := id(opportunity.TypeEvent, 2)
	r.apply(record, interest(event, 2), interest(event, 1), interest(cancelled, 1), interest(course, 1),
		opportunity.Mutation{Request: "t", Interest: &opportunity.Interest{Item: string(tokens), Quantity: 1, ExpiresAt: "2032-01-02T12:00:00"}})
	snapshot := r.read(record)
	var known []opportunity.Held
	for _, ref := range snapshot.Interests {
		if ref.Item == tokens {
			known = append(known, opportunity.Held{ID: ref.ID, Item: string(tokens), Kind: opportunity.Tokens, ExpiresAt: "2032-01-02T12:00:00"})
		}
	}
	r.ask(`mutation { event { update(eventId: "` + string(cancelled) + `", input: {lifecycleState: "cancelled"}) { errors { label } } } }`)
	got := r.plan(activities.PlanInput{Opportunity: record, Known: known})
	r.wantRequests(2) // the record, and all events at once
	var due []string
	for _, f := range got.Plan.FollowUps {
		due = append(due, f.Name+" "+f.Due.Format(time.RFC3339)+" "+f.Action.Attention)
	}
	if diff := cmp.Diff([]string{"soon 2031-03-01T09:00:00Z Monday, 3 March 2031, 09:00 UTC", "tokens 2032-01-01T12:00:00Z t"}, due); diff != "" {
		t.Error(diff)
	}
	news := make(map[opportunity.ID]activities.EventNews)
	for _, n := range got.Events {
		news[n.Event] = n
	}
	if diff := cmp.Diff(map[opportunity.ID]activities.EventNews{event: {Event: event}, cancelled: {Event: cancelled, Cancelled: true}}, news); diff != "" {
		t.Error(diff)
	}
	if want := (activities.Rules{Digest: r.options.Playbook.Digest(), FollowUps: true, Happenings: true, At: "state Open", Quiet: activities.DefaultQuietTime, Spread: 6 * time.Hour}); got.Rules != want {
		t.Errorf("rules %+v", got.Rules)
	}
	// The plan reports a cancellation without another read.
	happened := activities.PlanInput{Opportunity: record, Occasion: opportunity.Occasion{Kind: opportunity.OccasionEventCancelled, Item: cancelled}}
	if got := r.plan(happened); !cmp.Equal(kinds(got.Plan.After), []opportunity.EffectKind{opportunity.EffectLog}) {
		t.Errorf("%+v", got.Plan)
	}
	r.wantRequests(1)
}

// The content of the record counts. The workflow's knowledge fills in what the API does
// not return.
func TestPlanKnowsWhatTheAPIDoesNotTell(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	const rules = `transitions: [{ name: all, after: [{ log: { message: "{{.Value}}" } }] }]`
	r.follow(rules)
	record := r.created("A-1")
	priced := interest(course, 2)
	priced.Interest.UnitAmount = amount(t, "10.50")
	r.apply(record, priced)
	known := []opportunity.Held{{ID: r.read(record).Interests[0].ID, Item: "CPR", Kind: opportunity.Course, Quantity: 3, UnitAmount: amount(t, "2")}}
	in := moving(record, "Opportunity")
	in.Known = known
	if got := r.plan(in).Plan.After[0].Log.Message; got != "21.00" {
		t.Errorf("value %q", got)
	}
	api, err := administrate.New(administrate.Options{
		URL: r.url, Tokens: administrate.StaticToken(r.token), Assumed: administrate.Assumptions{InterestQuantity: administrate.Off, InterestUnitAmount: administrate.Off},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.options.API = api
	r.follow(rules)
	if got := r.plan(in).Plan.After[0].Log.Message; got != "6.00" {
		t.Errorf("value %q where the API tells none", got)
	}
}

func TestPlanReadsAllInterests(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	r.follow(`
transitions:
  - { name: many, when: "len(interests) == 130", after: [{ invoice: { finaliseBeforeStart: 7 days } }] }
`)
	record := r.created("A-1")
	batch := make([]opportunity.Mutation, 13)
	for i := range batch {
		batch[i] = interest(event, 1)
	}
	for range 10 {
		r.apply(record, batch...)
	}
	r.resolve(opportunity.Name{Type: opportunity.TypeStep, Text: "Opportunity"})
	r.requested()
	got := r.plan(moving(record, "Opportunity"))
	r.wantRequests(3) // two pages and one event
	if len(got.Record.Interests) != 130 || len(got.Plan.After) != 1 || got.Plan.After[0].Invoice.FinaliseAt.IsZero() {
		t.Errorf("%d interests, %+v", len(got.Record.Interests), got.Plan)
	}
}

func TestPlanOfWhatCannotBeRead(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	r.follow("transitions: [{ name: all, before: [{ account: {} }] }]")
	record := r.created("A-1")
	for name, test := range map[string]struct {
		record opportunity.ID
		status int
		want   string
	}{
		"nothing there": {id(opportunity.TypeOpportunity, 99), 0, string(opportunity.NotFound)},
		"failing":       {record, http.StatusBadGateway, ""},
	} {
		if test.status > 0 {
			r.status(test.status)
		}
		in := moving(test.record, "Opportunity")
		in.Reference, in.Now = "A-1", r.now()
		_, err := try[activities.PlanResult](r, activities.PlanOpportunity, in)
		var application *temporal.ApplicationError
		if err == nil || !errors.As(err, &application) || test.want != "" && (application.Type() != test.want || !application.NonRetryable()) ||
			test.want == "" && application.NonRetryable() {
			t.Errorf("%s: %v", name, err)
		}
		r.answerInstead(nil)
	}
}

// A worker without a playbook answers as before playbooks existed; a worker with one says
// what its playbook has.
func TestRulesTravelWithAnswers(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	answers := func() (all []*activities.Rules) {
		record := r.create(activities.CreateInput{Reference: "A-1", Start: opportunity.Start{Name: "n", Region: string(regionDR)}, Looked: true})
		read := do[activities.ReadResult](r, activities.ReadOpportunity, activities.ReadInput{Reference: "A-1", Opportunity: record.Record.ID})
		return append(all, record.Rules, r.apply(record.Record.ID, interest(course, 1)).Rules, read.Rules)
	}
	if got := answers(); got[0] != nil || got[1] != nil || got[2] != nil {
		t.Errorf("without a playbook: %+v", got)
	}
	r.follow("calendar: { zone: Europe/London }") // a playbook without effects
	if got := answers(); got[0] != nil || got[1] != nil || got[2] != nil {
		t.Errorf("with an empty one: %+v", got)
	}
	in := moving(r.created("A-2"), "Opportunity")
	if got := r.plan(in); got.Rules != (activities.Rules{}) || !got.Plan.IsEmpty() {
		t.Errorf("planned without a playbook: %+v", got)
	}
	r.follow("transitions: [{ name: win, to: { state: Won }, after: [{ register: {} }] }]")
	want := activities.Rules{Digest: r.options.Playbook.Digest(), Moves: true, Learners: true}
	for i, got := range answers() {
		if got == nil || *got != want {
			t.Errorf("answer %d: %+v", i, got)
		}
	}
	r.status(http.StatusTooManyRequests)
	if out := r.apply("x", interest(course, 1)); out.Rules != nil {
		t.Errorf("not sent: %+v", out)
	}
}
