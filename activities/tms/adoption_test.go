package tms_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/exchange"
)

// A worker reads the time of the last change only for an adoption, and only with the option
// FollowUpsFromLastChange.
func TestReadForAnAdoptionReturnsTheLastChange(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{Attribute: "oppflow"})
	record := r.createRecord("A-1")
	made := r.now()
	r.advanceClock(90 * 24 * time.Hour)
	var asked int
	r.interceptRequests(func(_ http.ResponseWriter, q *http.Request) bool {
		document := readBody(t, q)
		asked += strings.Count(document, "updatedAt")
		return false
	})
	for _, c := range []struct {
		name            string
		setting, adopts bool
		want            int
	}{
		{"with the setting", true, true, 1},
		{"with the setting, no adoption", true, false, 0},
		{"without the setting", false, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.t, asked = t, 0
			r.options.FollowUpsFromLastChange = c.setting
			r.newWorker(tms.ReferenceTag{Attribute: "oppflow"})
			r.requestCount()
			got := mustRunActivity[activities.ReadResult](r, activities.ReadOpportunity, activities.ReadInput{Reference: "A-1", Opportunity: record, ForAdoption: c.adopts})
			r.wantRequests(1)
			if asked != c.want || got.Record.ID != record || got.TagOwner != activities.TagOwnerThis {
				t.Errorf("asked %d times, %+v", asked, got)
			}
			if changed := got.Record.Changed; changed.IsZero() != (c.want == 0) || c.want > 0 && made.Sub(changed).Abs() > time.Minute {
				t.Errorf("changed at %s, want %s", changed, made)
			}
		})
	}
}

func TestReadForAnAdoptionWithoutTheField(t *testing.T) {
	r := newFixtureAssuming(t, tms.ReferenceTag{Attribute: "oppflow"}, map[string]string{"opportunity.updatedAt": "absent"})
	r.options.FollowUpsFromLastChange = true
	r.newWorker(tms.ReferenceTag{Attribute: "oppflow"})
	record := r.createRecord("A-1")
	_, err := runActivity[activities.ReadResult](r, activities.ReadOpportunity, activities.ReadInput{Reference: "A-1", Opportunity: record, ForAdoption: true})
	application := applicationError(t, err)
	if !application.NonRetryable() || !strings.Contains(application.Message(), "updatedAt") {
		t.Errorf("%v", err)
	}
	api, err := administrate.New(administrate.Options{Options: transport.Options{URL: r.url, Tokens: oauth.StaticToken(r.token)}, Assumed: administrate.Assumptions{OpportunityUpdated: administrate.Off}})
	if err != nil {
		t.Fatal(err)
	}
	r.options.API = api
	r.newWorker(tms.ReferenceTag{Attribute: "oppflow"})
	got := mustRunActivity[activities.ReadResult](r, activities.ReadOpportunity, activities.ReadInput{Reference: "A-1", Opportunity: record, ForAdoption: true})
	if got.Record.ID != record || !got.Record.Changed.IsZero() {
		t.Errorf("switched off: %+v", got)
	}
}

func applicationError(t *testing.T, err error) *temporal.ApplicationError {
	t.Helper()
	var application *temporal.ApplicationError
	if !errors.As(err, &application) {
		t.Fatalf("got %v", err)
	}
	return application
}

func TestPlanOfAnAdoptedRecordIsSpread(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.loadPlaybook(`steps: [{ at: { state: Open }, followUps: [{ name: long, due: { inStep: 7 days }, do: { attention: { text: t } } }] }]`)
	record := r.createRecord("A-1")
	adopted := r.now().Truncate(time.Second)
	in := activities.PlanInput{Opportunity: record, Entered: adopted.AddDate(0, 0, -60), LastActivity: adopted.AddDate(0, 0, -60), AdoptedAt: adopted}
	got := r.plan(in)
	if len(got.Plan.FollowUps) != 1 || !got.Plan.FollowUps[0].Due.Equal(exchange.CatchUpAt(record, adopted)) {
		t.Errorf("%+v; want it at %s", got.Plan.FollowUps, exchange.CatchUpAt(record, adopted))
	}
	in.AdoptedAt = time.Time{}
	if got = r.plan(in); len(got.Plan.FollowUps) != 1 || got.Plan.FollowUps[0].Due.Sub(adopted) > time.Minute {
		t.Errorf("without an adoption: %+v", got.Plan.FollowUps)
	}
}
