package manual_test

import (
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/entity/manual"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func TestOnlyMailsAndCallsOfALateTransitionNeedAnOperator(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		seenAt time.Time
		kind   opportunity.EffectKind
		within time.Duration
		want   bool
	}{
		"a mail in time":          {noon.Add(-manual.DefaultNoticeWithin), opportunity.EffectEmail, 0, false},
		"a call in time":          {noon, opportunity.EffectCall, 0, false},
		"a late mail":             {noon.Add(-manual.DefaultNoticeWithin - time.Second), opportunity.EffectEmail, 0, true},
		"a late call":             {noon.Add(-manual.DefaultNoticeWithin - time.Second), opportunity.EffectCall, 0, true},
		"a mail at no known time": {time.Time{}, opportunity.EffectEmail, 0, true},
		"in time for a long scan": {noon.Add(-96 * time.Hour), opportunity.EffectEmail, 96 * time.Hour, false},
		"late for a short scan":   {noon.Add(-2*time.Hour - time.Second), opportunity.EffectEmail, 2 * time.Hour, true},
		"a late registration":     {time.Time{}, opportunity.EffectRegister, 0, false},
		"a late log entry":        {time.Time{}, opportunity.EffectLog, 0, false},
	} {
		transition := manual.NewTransition(opportunity.Step{ID: "a"}, opportunity.Step{ID: "b", Name: "Won"}, c.seenAt, noon, c.within)
		if got := transition.NeedsOperator(exchange.Effect{Kind: c.kind}); got != c.want {
			t.Errorf("%s: got %t, want %t", name, got, c.want)
		}
	}
	late := manual.Transition{To: opportunity.Step{Name: "Won"}}
	for kind, want := range map[opportunity.EffectKind]string{opportunity.EffectEmail: "retry (Oppflow sends the mail)", opportunity.EffectCall: "retry (Oppflow calls the service)"} {
		if got := late.Question(exchange.Effect{Kind: kind}); !strings.HasPrefix(got, "the transition to Won was made by hand and noticed late. Answer "+want) {
			t.Errorf("%s: %s", kind, got)
		}
	}
}
