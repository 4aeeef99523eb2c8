package tms_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

func (r *fixture) setPlaybook(book func(time.Time) (tms.VersionedPlaybook, error)) {
	r.t.Helper()
	r.options.PlaybookAt = book
	r.newWorker(tms.ReferenceTag{})
}

func winPlaybook(t *testing.T, version int) tms.VersionedPlaybook {
	t.Helper()
	loaded, err := playbook.Load([]byte("transitions: [{ name: win, to: { state: Won }, after: [{ register: {} }] }]"))
	if err != nil {
		t.Fatal(err)
	}
	return tms.VersionedPlaybook{Version: version, Playbook: loaded}
}

func TestAnUnplannedTransitionIsNotSent(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	for name, test := range map[string]struct {
		book      tms.VersionedPlaybook
		unplanned bool
		made      bool
	}{
		"effects in force, unplanned": {winPlaybook(t, 2), true, false},
		"effects in force, planned":   {winPlaybook(t, 2), false, true},
		"no effects in force":         {tms.VersionedPlaybook{Version: 3}, true, true},
	} {
		r.setPlaybook(func(time.Time) (tms.VersionedPlaybook, error) { return test.book, nil })
		r.requestCount()
		got := mustRunActivity[activities.ApplyResult](r, activities.ApplyCommands, activities.ApplyInput{
			Reference: "A-1", Opportunity: record, TransitionUnplanned: test.unplanned,
			Changes: []exchange.Change{{Request: "r", Update: &opportunity.UpdateDetails{Name: name}}},
		})
		if test.made != (got.Status == exchange.StatusDone) || !test.made && (got.Status != exchange.StatusNotSent || got.Reason != activities.ReasonTransitionUnplanned || r.requestCount() != 0) {
			t.Errorf("%s: %+v", name, got)
		}
		if got.PlaybookFeatures == nil || got.PlaybookFeatures.Version != test.book.Version {
			t.Errorf("%s: rules %+v", name, got.PlaybookFeatures)
		}
	}
}

// A worker makes no plan if its playbook has a lower version than the opportunity has seen.
func TestAPlanIsOfTheVersionInForce(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	in := transitionInput(r.createRecord("A-1"), "Won")
	two, three := winPlaybook(t, 2), winPlaybook(t, 3)
	r.setPlaybook(func(time.Time) (tms.VersionedPlaybook, error) { return two, nil })
	if got := r.plan(in); got.PlaybookFeatures.Version != 2 || got.Plan.Version != 2 {
		t.Errorf("planned by %d and %d; want 2", got.PlaybookFeatures.Version, got.Plan.Version)
	}
	in.MinPlaybookVersion = 2
	if got := r.plan(in); got.Plan.Version != 2 {
		t.Errorf("planned by %d; want 2", got.Plan.Version)
	}
	in.MinPlaybookVersion = 3
	r.wantNoPlan(in, "the worker uses version 2 of the playbook, but the opportunity has already used the later version 3")
	asked := 0
	r.setPlaybook(func(time.Time) (tms.VersionedPlaybook, error) {
		if asked++; asked == 1 {
			return two, nil
		}
		return three, nil
	})
	in.MinPlaybookVersion = 0
	r.wantNoPlan(in, "version 3 of the playbook came into force while the worker made the plan")
	if got := r.plan(in); got.Plan.Version != 3 {
		t.Errorf("planned by %d; want 3", got.Plan.Version)
	}
}

// wantNoPlan checks that the worker makes no plan, and that its error lets another worker make the
// plan.
func (r *fixture) wantNoPlan(in activities.PlanInput, says string) {
	r.t.Helper()
	_, err := runActivity[activities.PlanResult](r, activities.PlanOpportunity, in)
	var application *temporal.ApplicationError
	if !errors.As(err, &application) || application.Type() != string(activities.ReasonPlaybookUnavailable) || application.NonRetryable() || !strings.Contains(err.Error(), says) {
		r.t.Errorf("planned: %v; want %q", err, says)
	}
}

func TestNothingIsSentWithoutThePlaybookInForce(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	in := transitionInput(record, "Won")
	r.setPlaybook(func(time.Time) (tms.VersionedPlaybook, error) {
		return tms.VersionedPlaybook{}, errors.New("not read for long")
	})
	r.requestCount()
	r.wantNoPlan(in, "not read for long")
	effect := activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: exchange.Effect{Key: "1/a", Kind: opportunity.EffectAccount}, Request: &exchange.EffectRequest{}}
	for name, got := range map[string]activities.CallResult{
		"change": r.apply(record, interest(course, 1)).CallResult,
		"create": r.create(activities.CreateInput{Reference: "A-2", Start: opportunity.Start{Name: "n", Region: string(regionDR)}, SkipEarlierRunCheck: true}).CallResult,
		"effect": mustRunActivity[activities.ExecuteResult](r, activities.ExecuteEffect, effect).CallResult,
	} {
		if got.Status != exchange.StatusNotSent || got.Reason != activities.ReasonPlaybookUnavailable {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for name, input := range map[string]any{
		activities.InspectEffect:   effect,
		activities.ReadOpportunity: activities.ReadInput{Reference: "A-1", Opportunity: record},
	} {
		if _, err := r.env.ExecuteActivity(name, input); err == nil || !strings.Contains(err.Error(), "not read for long") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := r.requestCount(); n != 0 {
		t.Errorf("%d requests", n)
	}
}
