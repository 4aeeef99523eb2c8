package entity

import (
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/entity/queue"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// The view says from the first failed call why messages wait behind a call before a transition.
func TestTheViewShowsTheWaitForAService(t *testing.T) {
	now := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	for stage, want := range map[opportunity.EffectStage]bool{opportunity.EffectStageBefore: true, opportunity.EffectStageAfter: false} {
		s := &State{}
		s.ActiveEffects = []ActiveEffect{{Stage: stage, Effect: exchange.Effect{
			Key: "1/propose/before/1/call", Kind: opportunity.EffectCall, Settings: exchange.NewSettings(exchange.CallService{Service: "erp", Path: "/orders"}),
		}}}
		s.Queue = []queue.Command{{Request: "r-1"}}
		if got := s.View().Wait; got != nil {
			t.Errorf("%s: the view shows %+v before the first call", stage, got)
		}
		s.ApplyCallFailure("1/propose/before/1/call", "the service erp cannot be reached", exchange.StatusNotSent, now)
		got := s.View().Wait
		if (got != nil) != want || got != nil && (!strings.Contains(got.Reason, "erp") || !got.Since.Equal(now) || !got.Until.Equal(now.Add(firstCallBackOff))) {
			t.Errorf("%s: the view shows %+v", stage, got)
		}
		if s.Queue = nil; s.View().Wait != nil {
			t.Errorf("%s: the view shows a wait without messages", stage)
		}
	}
}
