package tms_test

import (
	"errors"
	"strings"
	"testing"

	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/opportunity"
)

// A worker that does not know a kind of effects sends nothing for them: it says that a worker of a later version does.
func TestAWorkerWithoutAKindOfEffects(t *testing.T) {
	r := newRoom(t, tms.Mark{Name: true})
	record := r.created("A-1")
	r.options.Without = []opportunity.EffectKind{opportunity.EffectLog}
	r.worker(tms.Mark{Name: true})
	in := activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: opportunity.Effect{Key: "1/log", Kind: opportunity.EffectLog}}
	r.requested() // those that made the record
	var failed *temporal.ApplicationError
	if _, err := try[activities.InspectResult](r, activities.InspectEffect, in); !errors.As(err, &failed) || failed.Type() != string(activities.ReasonVersion) || failed.NonRetryable() {
		t.Errorf("inspect: got %v", err)
	}
	in.Act = &opportunity.Act{Kind: opportunity.ActLog}
	out := do[activities.CarryOutResult](r, activities.CarryOutEffect, in)
	if out.Fate != opportunity.FateNotSent || out.Reason != activities.ReasonVersion || !strings.Contains(out.Error.Error(), `effects of kind "log"`) {
		t.Errorf("carry out: got %+v", out.Sending)
	}
	if n := r.requested(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}
