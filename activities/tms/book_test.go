package tms_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

// versions gives the worker versions of the playbook.
func (r *room) versions(book func(time.Time) (tms.Book, error)) {
	r.t.Helper()
	r.options.Book = book
	r.worker(tms.Mark{})
}

func winning(t *testing.T, version int) tms.Book {
	t.Helper()
	loaded, err := playbook.Load([]byte("transitions: [{ name: win, to: { state: Won }, after: [{ register: {} }] }]"))
	if err != nil {
		t.Fatal(err)
	}
	return tms.Book{Version: version, Playbook: loaded}
}

// A move whose effects were not planned is not made where the playbook in force has
// effects of moves.
func TestAnUnplannedMoveIsNotMade(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	for name, test := range map[string]struct {
		book      tms.Book
		unplanned bool
		made      bool
	}{
		"effects in force, unplanned": {winning(t, 2), true, false},
		"effects in force, planned":   {winning(t, 2), false, true},
		"no effects in force":         {tms.Book{Version: 3}, true, true},
	} {
		r.versions(func(time.Time) (tms.Book, error) { return test.book, nil })
		r.requested()
		got := do[activities.ApplyResult](r, activities.ApplyCommands, activities.ApplyInput{
			Reference: "A-1", Opportunity: record, Unplanned: test.unplanned,
			Mutations: []opportunity.Mutation{{Request: "r", Update: &opportunity.UpdateDetails{Name: name}}},
		})
		if test.made != (got.Fate == opportunity.FateDone) || !test.made && (got.Fate != opportunity.FateNotSent || got.Reason != activities.ReasonUnplanned || r.requested() != 0) {
			t.Errorf("%s: %+v", name, got)
		}
		if got.Rules == nil || got.Rules.Version != test.book.Version {
			t.Errorf("%s: rules %+v", name, got.Rules)
		}
	}
}

// A plan is made by the version in force when the record was read. A version that the
// opportunity has seen replaced makes no plan.
func TestAPlanIsOfTheVersionInForce(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	in := moving(r.created("A-1"), "Won")
	two, three := winning(t, 2), winning(t, 3)
	r.versions(func(time.Time) (tms.Book, error) { return two, nil })
	if got := r.plan(in); got.Rules.Version != 2 || got.Plan.Version != 2 {
		t.Errorf("planned by %d and %d; want 2", got.Rules.Version, got.Plan.Version)
	}
	in.Version = 2
	if got := r.plan(in); got.Plan.Version != 2 {
		t.Errorf("planned by %d; want 2", got.Plan.Version)
	}
	in.Version = 3
	r.refuses(in, "version 2 of the playbook is in force here, and the opportunity has seen version 3")
	asked := 0
	r.versions(func(time.Time) (tms.Book, error) {
		if asked++; asked == 1 {
			return two, nil
		}
		return three, nil
	})
	in.Version = 0
	r.refuses(in, "version 3 of the playbook came in force while the plan was made")
	if got := r.plan(in); got.Plan.Version != 3 {
		t.Errorf("planned by %d; want 3", got.Plan.Version)
	}
}

// refuses expects that the worker leaves the plan to another worker.
func (r *room) refuses(in activities.PlanInput, says string) {
	r.t.Helper()
	_, err := try[activities.PlanResult](r, activities.PlanOpportunity, in)
	var application *temporal.ApplicationError
	if !errors.As(err, &application) || application.Type() != string(activities.ReasonPlaybook) || application.NonRetryable() || !strings.Contains(err.Error(), says) {
		r.t.Errorf("planned: %v; want %q", err, says)
	}
}

// A worker that does not know the playbook in force sends nothing and plans nothing.
func TestNothingIsSentWithoutThePlaybookInForce(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	in := moving(record, "Won")
	r.versions(func(time.Time) (tms.Book, error) { return tms.Book{}, errors.New("not read for long") })
	r.requested()
	r.refuses(in, "not read for long")
	effect := activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: opportunity.Effect{Key: "1/a", Kind: opportunity.EffectAccount}, Act: &opportunity.Act{}}
	for name, got := range map[string]activities.Sending{
		"change": r.apply(record, interest(course, 1)).Sending,
		"create": r.create(activities.CreateInput{Reference: "A-2", Start: opportunity.Start{Name: "n", Region: string(regionDR)}, Looked: true}).Sending,
		"effect": do[activities.CarryOutResult](r, activities.CarryOutEffect, effect).Sending,
	} {
		if got.Fate != opportunity.FateNotSent || got.Reason != activities.ReasonPlaybook {
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
	if n := r.requested(); n != 0 {
		t.Errorf("%d requests", n)
	}
}
