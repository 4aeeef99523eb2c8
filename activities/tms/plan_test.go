package tms_test

import (
	"errors"
	"net/http"
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
)

func (r *fixture) plan(in activities.PlanInput) activities.PlanResult {
	r.t.Helper()
	in.Reference, in.Now = "A-1", r.now()
	return mustRunActivity[activities.PlanResult](r, activities.PlanOpportunity, in)
}

func (r *fixture) wantRequests(want int) {
	r.t.Helper()
	if n := r.requestCount(); n != want {
		r.t.Errorf("%d requests, want %d", n, want)
	}
}

func transitionInput(record opportunity.ID, to string) activities.PlanInput {
	return activities.PlanInput{Opportunity: record, PlanFor: exchange.PlanCause{Kind: exchange.CauseTransition}, TargetStep: to}
}

func kinds(effects []exchange.Effect) (all []opportunity.EffectKind) {
	for _, e := range effects {
		all = append(all, e.Kind)
	}
	return all
}

func TestPlanOfATransitionByStepName(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{Attribute: "oppflow"})
	r.loadPlaybook(`
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
	record := r.createRecord("A-1")
	r.setAttribute(record, "po", "PO 17")
	in := transitionInput(record, "opportunity")
	in.Region = opportunity.Ref{ID: regionDR, Name: "Dominican Republic"}
	got := r.plan(in)
	r.wantRequests(2) // the record and the steps; no events
	if got.TargetStep.ID != stepTwo || got.TargetStep.Stage.State != opportunity.Open || got.RunID == "" || got.Record.ID != record || got.Record.Step.ID != proposed {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff(exchange.EnsureAttributes{Values: map[string]string{"by": "First Aid"}}, settings[exchange.EnsureAttributes](got.Plan.Before[0])); diff != "" {
		t.Error(diff)
	}
	if want := (activities.PlaybookFeatures{Digest: r.playbook.Playbook.Digest(), Transitions: true}); got.PlaybookFeatures != want {
		t.Errorf("rules %+v", got.PlaybookFeatures)
	}
	in.TargetStep = string(stepWon)
	got = r.plan(in)
	r.wantRequests(1) // the steps are in the cache now, also by their ids
	if got.TargetStep.ID != stepWon || got.TargetStep.Stage.State != opportunity.Won || !cmp.Equal(kinds(got.Plan.After), []opportunity.EffectKind{opportunity.EffectAccount}) {
		t.Errorf("by its id: %+v", got)
	}
	in.TargetStep, in.PlanFor.To = "", got.TargetStep
	if again := r.plan(in); !cmp.Equal(again.Plan, got.Plan) || again.TargetStep != got.TargetStep {
		t.Errorf("by the step itself: %+v", again)
	}
}

// The input contains both steps of a transition by hand, so the activity reads only the record.
func TestPlanOfAManualTransition(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.loadPlaybook(`
transitions:
  - { name: win, from: { stage: Before }, to: { state: Won }, before: [{ attributes: { set: { a: b } } }], after: [{ account: {} }] }
  - { name: skipped, to: { state: Won }, manualTransitions: skip, after: [{ release: {} }] }
`)
	record := r.createRecord("A-1")
	r.requestCount()
	before := opportunity.Step{ID: "before", Name: "Before", Stage: opportunity.Stage{ID: "stage", Name: "Before", State: opportunity.Open}}
	won := opportunity.Step{ID: stepWon, Name: "Won", Stage: opportunity.Stage{State: opportunity.Won}}
	got := r.plan(activities.PlanInput{
		Opportunity: record, PlanFor: exchange.PlanCause{Kind: exchange.CauseTransition, From: before, To: won},
		Region: opportunity.Ref{ID: regionDR, Name: "Dominican Republic"},
	})
	r.wantRequests(1)
	if got.TargetStep != won || got.Record.Step.ID != proposed || len(got.Plan.Before) > 0 || !cmp.Equal(kinds(got.Plan.After), []opportunity.EffectKind{opportunity.EffectAccount}) {
		t.Errorf("%+v", got)
	}
}

func TestPlanOfATransitionToAnUnknownStepIsEmpty(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.loadPlaybook("transitions: [{ name: all, before: [{ account: {} }] }]")
	record := r.createRecord("A-1")
	for _, to := range []string{"Nowhere", string(id(opportunity.TypeStep, 99))} {
		got := r.plan(transitionInput(record, to))
		if got.TargetStep != (opportunity.Step{}) || !got.Plan.IsEmpty() || !got.PlaybookFeatures.Transitions || got.Record.ID != record {
			t.Errorf("to %q: %+v", to, got)
		}
	}
	// In a TMS whose API does not show the steps, the plan has no effects and reports a problem.
	r.newWorker(tms.ReferenceTag{})
	r.interceptRequests(func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.Contains(readBody(t, q), "opportunitySteps") {
			return false
		}
		_, _ = w.Write([]byte(`{"errors":[{"message":"no field opportunitySteps"}]}`))
		return true
	})
	got := r.plan(transitionInput(record, "Opportunity"))
	if got.TargetStep != (opportunity.Step{}) || len(got.Plan.Before) > 0 || len(got.Plan.Problems) != 1 {
		t.Errorf("without steps: %+v", got)
	}
}

func TestPlanOfFollowUpsReturnsEventChanges(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.loadPlaybook(`
steps:
  - at: { state: Open }
    followUps:
      - { name: soon, due: { beforeStart: 2 days }, do: { attention: { text: "{{.FirstStart}}" } } }
      - { name: tokens, due: { beforeTokensExpire: 1 days }, do: { attention: { text: t } } }
reactions: [{ name: tell, on: eventCancelled, do: [{ log: { message: m } }] }]
`)
	record := r.createRecord("A-1")
	cancelled := id(opportunity.TypeEvent, 2)
	r.apply(record, interest(event, 2), interest(event, 1), interest(cancelled, 1), interest(course, 1),
		exchange.Change{Request: "t", Interest: &opportunity.Interest{Item: string(tokens), Quantity: 1, ExpiresAt: "2032-01-02T12:00:00"}})
	snapshot := r.read(record)
	var known []opportunity.RecordedInterest
	for _, ref := range snapshot.Interests {
		if ref.Item == tokens {
			known = append(known, opportunity.RecordedInterest{ID: ref.ID, Item: string(tokens), Kind: opportunity.Tokens, ExpiresAt: "2032-01-02T12:00:00"})
		}
	}
	r.query(`mutation { event { update(eventId: "` + string(cancelled) + `", input: {lifecycleState: "cancelled"}) { errors { label } } } }`)
	got := r.plan(activities.PlanInput{Opportunity: record, KnownInterests: known})
	r.wantRequests(2) // the record, and all events at once
	var due []string
	for _, f := range got.Plan.FollowUps {
		due = append(due, f.Name+" "+f.Due.Format(time.RFC3339)+" "+f.Action.Attention)
	}
	if diff := cmp.Diff([]string{"soon 2031-03-01T09:00:00Z Monday, 3 March 2031, 09:00 GMT", "tokens 2032-01-01T12:00:00Z t"}, due); diff != "" {
		t.Error(diff)
	}
	news := make(map[opportunity.ID]activities.EventChange)
	for _, n := range got.Events {
		news[n.Event] = n
	}
	if diff := cmp.Diff(map[opportunity.ID]activities.EventChange{
		event: {Event: event, FreePlaces: new(8)}, cancelled: {Event: cancelled, Cancelled: true, FreePlaces: new(16)},
	}, news); diff != "" {
		t.Error(diff)
	}
	if want := (activities.PlaybookFeatures{Digest: r.playbook.Playbook.Digest(), FollowUps: true, Reactions: true, FollowUpSteps: "state Open", QuietTime: activities.DefaultQuietTime, Spread: 6 * time.Hour}); got.PlaybookFeatures != want {
		t.Errorf("rules %+v", got.PlaybookFeatures)
	}
	happened := activities.PlanInput{Opportunity: record, PlanFor: exchange.PlanCause{Kind: exchange.CauseEventCancelled, Item: cancelled}}
	if got := r.plan(happened); !cmp.Equal(kinds(got.Plan.After), []opportunity.EffectKind{opportunity.EffectLog}) {
		t.Errorf("%+v", got.Plan)
	}
	r.wantRequests(1)
}

func TestPlanUsesWhatTheAPIDoesNotReturn(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	const rules = `transitions: [{ name: all, after: [{ log: { message: "{{.Value}}" } }] }]`
	r.loadPlaybook(rules)
	record := r.createRecord("A-1")
	priced := interest(course, 2)
	priced.Interest.UnitAmount = amount(t, "10.50")
	r.apply(record, priced)
	known := []opportunity.RecordedInterest{{ID: r.read(record).Interests[0].ID, Item: "CPR", Kind: opportunity.Course, Quantity: 3, UnitAmount: amount(t, "2")}}
	in := transitionInput(record, "Opportunity")
	in.KnownInterests = known
	if got := settings[exchange.WriteLog](r.plan(in).Plan.After[0]).Message; got != "21.00" {
		t.Errorf("value %q", got)
	}
	api, err := administrate.New(administrate.Options{Options: transport.Options{
		URL: r.url, Tokens: oauth.StaticToken(r.token),
	}, Assumed: administrate.Assumptions{InterestQuantity: administrate.Off, InterestUnitAmount: administrate.Off}})
	if err != nil {
		t.Fatal(err)
	}
	r.options.API = api
	r.loadPlaybook(rules)
	if got := settings[exchange.WriteLog](r.plan(in).Plan.After[0]).Message; got != "6.00" {
		t.Errorf("value %q where the API tells none", got)
	}
}

func TestPlanReadsAllInterests(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.loadPlaybook(`
transitions:
  - { name: many, when: "len(interests) == 130", after: [{ invoice: { finaliseBeforeStart: 7 days } }] }
`)
	record := r.createRecord("A-1")
	batch := make([]exchange.Change, 13)
	for i := range batch {
		batch[i] = interest(event, 1)
	}
	for range 10 {
		r.apply(record, batch...)
	}
	r.resolve(exchange.UnresolvedName{Type: opportunity.TypeStep, Text: "Opportunity"})
	r.requestCount()
	got := r.plan(transitionInput(record, "Opportunity"))
	r.wantRequests(3) // two pages and one event
	if len(got.Record.Interests) != 130 || len(got.Plan.After) != 1 || settings[exchange.EnsureInvoice](got.Plan.After[0]).FinaliseAt.IsZero() {
		t.Errorf("%d interests, %+v", len(got.Record.Interests), got.Plan)
	}
}

func TestPlanOfWhatCannotBeRead(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.loadPlaybook("transitions: [{ name: all, before: [{ account: {} }] }]")
	record := r.createRecord("A-1")
	for name, test := range map[string]struct {
		record opportunity.ID
		status int
		want   string
	}{
		"nothing there": {id(opportunity.TypeOpportunity, 99), 0, string(opportunity.NotFound)},
		"failing":       {record, http.StatusBadGateway, ""},
	} {
		if test.status > 0 {
			r.respondWithStatus(test.status)
		}
		in := transitionInput(test.record, "Opportunity")
		in.Reference, in.Now = "A-1", r.now()
		_, err := runActivity[activities.PlanResult](r, activities.PlanOpportunity, in)
		var application *temporal.ApplicationError
		if err == nil || !errors.As(err, &application) || test.want != "" && (application.Type() != test.want || !application.NonRetryable()) ||
			test.want == "" && application.NonRetryable() {
			t.Errorf("%s: %v", name, err)
		}
		r.interceptRequests(nil)
	}
}

func TestResultsCarryPlaybookFeatures(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	answers := func() (all []*activities.PlaybookFeatures) {
		record := r.create(activities.CreateInput{Reference: "A-1", Start: opportunity.Start{Name: "n", Region: string(regionDR)}, SkipEarlierRunCheck: true})
		read := mustRunActivity[activities.ReadResult](r, activities.ReadOpportunity, activities.ReadInput{Reference: "A-1", Opportunity: record.Record.ID})
		return append(all, record.PlaybookFeatures, r.apply(record.Record.ID, interest(course, 1)).PlaybookFeatures, read.PlaybookFeatures)
	}
	if got := answers(); got[0] != nil || got[1] != nil || got[2] != nil {
		t.Errorf("without a playbook: %+v", got)
	}
	r.loadPlaybook("calendar: { zone: Europe/London }")
	if got := answers(); got[0] != nil || got[1] != nil || got[2] != nil {
		t.Errorf("with an empty one: %+v", got)
	}
	in := transitionInput(r.createRecord("A-2"), "Opportunity")
	if got := r.plan(in); got.PlaybookFeatures != (activities.PlaybookFeatures{}) || !got.Plan.IsEmpty() {
		t.Errorf("planned without a playbook: %+v", got)
	}
	r.options.Times.ScanPeriod = 12 * time.Hour
	r.loadPlaybook("transitions: [{ name: win, to: { state: Won }, after: [{ register: {} }] }]")
	want := activities.PlaybookFeatures{Digest: r.playbook.Playbook.Digest(), Transitions: true, Learners: true, NoticeWithin: 24 * time.Hour}
	for i, got := range answers() {
		if got == nil || *got != want {
			t.Errorf("answer %d: %+v", i, got)
		}
	}
	r.respondWithStatus(http.StatusTooManyRequests)
	if out := r.apply("x", interest(course, 1)); out.PlaybookFeatures != nil {
		t.Errorf("not sent: %+v", out)
	}
}

// Each plan reports the names in the playbook that no longer exist in the tenant's TMS. The run
// plans in every step, because the step of a rule may have another name now.
func TestPlanReportsNamesThatDoNotFitTheTenant(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.loadPlaybook("steps:\n  - at: { step: Renamed }\n    followUps: [{ name: look, due: { idle: 1 day }, do: { attention: { text: Look } } }]\n")
	record := r.createRecord("A-1")
	if got := r.plan(activities.PlanInput{Opportunity: record}); len(got.Plan.Problems) > 0 || got.PlaybookFeatures.FollowUpSteps == "" {
		t.Errorf("before: problems %q, steps %q", got.Plan.Problems, got.PlaybookFeatures.FollowUpSteps)
	}
	r.playbook.NameProblems = slices.Repeat([]string{"line 2, column 17: the tenant has no step \"Renamed\""}, 12)
	r.newWorker(tms.ReferenceTag{})
	got := r.plan(activities.PlanInput{Opportunity: record})
	if len(got.Plan.Problems) != 10 || got.Plan.Problems[0] != r.playbook.NameProblems[0] || got.PlaybookFeatures.FollowUpSteps != "" {
		t.Errorf("problems %q, steps %q", got.Plan.Problems, got.PlaybookFeatures.FollowUpSteps)
	}
}

// The worker plans a transition without a read if the workflow knows all that the plan needs.
func TestPlanOfATransitionFromTheKnownRecord(t *testing.T) {
	const free = "{ name: win, to: { state: Won }, when: 'value > 100 and any(interests, .kind == \"event\")', after: [{ account: {} }] }"
	for name, c := range map[string]struct {
		rules    string
		age      time.Duration
		item     string
		wantRead bool
	}{
		"everything is known":           {rules: free},
		"a little younger than allowed": {rules: free, age: exchange.MaxRecordAge - time.Second},
		"too old":                       {rules: free, age: exchange.MaxRecordAge + time.Second, wantRead: true},
		"a condition on an attribute":   {rules: `{ name: win, to: { state: Won }, when: 'attributes["po"] != "1"', after: [{ account: {} }] }`, wantRead: true},
		"a text with an attribute":      {rules: `{ name: win, to: { state: Won }, after: [{ account: { name: '{{index .Attributes "company"}}' } }] }`, wantRead: true},
		"a condition on free places":    {rules: `{ name: win, to: { state: Won }, after: [{ account: {}, when: 'any(interests, .freePlaces > 1)' }] }`, wantRead: true},
		"a text with the first start":   {rules: `{ name: win, to: { state: Won }, after: [{ log: { message: '{{.FirstStart}}' } }] }`, wantRead: true},
		"an effect before":              {rules: `{ name: win, to: { state: Won }, before: [{ contacts: {} }], after: [{ account: {} }] }`, wantRead: true},
		"a rule for another step":       {rules: `{ name: on, to: { step: Opportunity }, when: 'attributes["po"] != "1"', before: [{ account: {} }] }`},
		"a condition on an item":        {rules: `{ name: win, to: { state: Won }, when: 'any(interests, .item == "x")', after: [{ account: {} }] }`},
		"a condition on an item's code": {rules: `{ name: win, to: { state: Won }, when: 'any(interests, .item == "x")', after: [{ account: {} }] }`, item: "ABC-123-01", wantRead: true},
		"an item's code":                {rules: free, item: "ABC-123-01"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newFixture(t, tms.ReferenceTag{})
			r.loadPlaybook("transitions: [" + c.rules + "]")
			record, interests := r.createWithEvent(2)
			in := transitionInput(record, string(stepWon))
			in.Region = opportunity.Ref{ID: regionDR, Name: "Dominican Republic"}
			in.KnownInterests = interests
			r.plan(in) // stores the steps in the cache
			if c.item != "" {
				in.KnownInterests[0].Item = c.item
			}
			snapshot := r.read(record)
			want := r.plan(in)
			in.Known, in.KnownAt = &snapshot, r.now().Add(-c.age)
			r.requestCount()
			got := r.plan(in)
			if n := r.requestCount(); (n > 0) != c.wantRead || got.FromKnown == c.wantRead {
				t.Errorf("%d requests, from the known record %t; want a read: %t", n, got.FromKnown, c.wantRead)
			}
			if diff := cmp.Diff(want.Plan, got.Plan); diff != "" {
				t.Errorf("plan (-read +known):\n%s", diff)
			}
			if got.Record.ID != record || got.RunID == "" || got.TargetStep != want.TargetStep || got.PlaybookFeatures != want.PlaybookFeatures {
				t.Errorf("%+v", got)
			}
		})
	}
}
