package exchange_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func TestPlanIsPlainData(t *testing.T) {
	until := time.Date(2026, 12, 14, 10, 0, 0, 0, time.UTC)
	plan := exchange.Plan{
		Digest: "d",
		Before: []exchange.Effect{{
			Key: "propose/before/1/reserve", Kind: opportunity.EffectReserve, Undo: exchange.UndoPartial, Settings: exchange.NewSettings(exchange.EnsureReservation{Until: until}),
		}},
		FollowUps: []exchange.FollowUp{{
			Key: "remind/x/then", Name: "remind", Due: until, Number: 4, Of: 4,
			Action: exchange.Action{Kind: opportunity.ActionProgress, Progress: &opportunity.Progress{To: "Lost"}},
		}},
		SkippedFollowUps: []opportunity.SkippedFollowUp{{Key: "k", Reason: opportunity.SkippedByCap}},
	}
	const want = `{"digest":"d",` +
		`"before":[{"key":"propose/before/1/reserve","kind":"reserve","undo":"partial","reserve":{"until":"2026-12-14T10:00:00Z"}}],` +
		`"followUps":[{"key":"remind/x/then","name":"remind","due":"2026-12-14T10:00:00Z","number":4,"of":4,"action":{"kind":"progress","progress":{"to":"Lost"}}}],` +
		`"leftOut":[{"key":"k","reason":"cap"}]}`
	if got, err := json.Marshal(plan); err != nil || string(got) != want {
		t.Errorf("%v\n%s, want\n%s", err, got, want)
	}
	if plan.IsEmpty() {
		t.Error("a plan with effects is empty")
	}
}

func TestEmptyPlan(t *testing.T) {
	if !(exchange.Plan{Digest: "d"}).IsEmpty() {
		t.Error("a plan without effects is not empty")
	}
	for _, plan := range []exchange.Plan{
		{Before: make([]exchange.Effect, 1)},
		{After: make([]exchange.Effect, 1)},
		{FollowUps: make([]exchange.FollowUp, 1)},
		{SkippedFollowUps: make([]opportunity.SkippedFollowUp, 1)},
		{Problems: []string{"p"}},
	} {
		if plan.IsEmpty() {
			t.Errorf("%+v is empty", plan)
		}
	}
}
