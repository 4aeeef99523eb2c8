package tms_test

import (
	"errors"
	"strings"
	"testing"

	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// The error says that a worker of a later version of Oppflow knows the kind.
func TestAWorkerWithoutAKindOfEffects(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{InName: true})
	record := r.createRecord("A-1")
	r.options.UnknownEffectKinds = []opportunity.EffectKind{opportunity.EffectLog}
	r.newWorker(tms.ReferenceTag{InName: true})
	in := activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: exchange.Effect{Key: "1/log", Kind: opportunity.EffectLog}}
	r.requestCount()
	var failed *temporal.ApplicationError
	if _, err := runActivity[activities.InspectResult](r, activities.InspectEffect, in); !errors.As(err, &failed) || failed.Type() != string(activities.ReasonUnknownEffectKind) || failed.NonRetryable() {
		t.Errorf("inspect: got %v", err)
	}
	in.Request = &exchange.EffectRequest{Kind: exchange.RequestLog}
	out := mustRunActivity[activities.ExecuteResult](r, activities.ExecuteEffect, in)
	if out.Status != exchange.StatusNotSent || out.Reason != activities.ReasonUnknownEffectKind || !strings.Contains(out.Error.Error(), `effects of kind "log"`) {
		t.Errorf("carry out: got %+v", out.CallResult)
	}
	if n := r.requestCount(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}
