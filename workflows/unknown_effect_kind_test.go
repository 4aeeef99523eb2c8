package workflows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// An effect whose kind no worker knows waits for a worker that knows the kind. The attention names
// a worker that does not know the kind. Only the work that needs the effect waits.
func TestAnEffectOfALaterVersionWaits(t *testing.T) {
	for name, before := range map[string]bool{"before a move": true, "after a move": false} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			names := [2][]string{{"sms"}, nil}
			if !before {
				names = [2][]string{nil, {"sms"}}
			}
			b := withTransitionEffects(s, names[0], names[1])
			sms := b.resources["sms"]
			sms.unknownKindError = temporal.NewApplicationError("the worker v1.2 does not know it", string(activities.ReasonUnknownEffectKind))
			s.at(time.Second, func() { s.env.SignalWorkflow("progress", to("Opportunity")) })
			s.at(2*time.Minute, func() {
				if got := s.attention(); !slices.Equal(got, []string{"operation"}) {
					t.Errorf("attention: %q; want operation", got)
				}
				if v := s.view(); len(v.Attention) == 1 && !strings.Contains(v.Attention[0].Reason, "v1.2") {
					t.Errorf("the attention does not name the worker: %q", v.Attention[0].Reason)
				}
				if got, want := s.tms.step.Name == "Opportunity", !before; got != want {
					t.Errorf("moved: %t, want %t", got, want)
				}
			})
			if !before {
				s.at(3*time.Minute, func() { s.update("u", "addInterests", add(1)) })
				s.at(4*time.Minute, func() { s.wantDone("u") })
			}
			s.at(time.Hour, func() { sms.unknownKindError = nil })
			s.at(time.Hour+2*time.Minute, func() {
				if got := s.attention(); len(got) > 0 {
					t.Errorf("attention: %q; want none", got)
				}
				if sms.done != 1 || s.tms.step.Name != "Opportunity" {
					t.Errorf("done %d times, in step %s; want once, in Opportunity", sms.done, s.tms.step.Name)
				}
			})
			s.winAt(2 * time.Hour)
			s.run(start, nil)
			if err := s.env.GetWorkflowError(); err != nil {
				t.Fatal(err)
			}
			if failed := slices.ContainsFunc(s.view().EffectResults, func(e opportunity.EffectResult) bool { return e.Outcome == opportunity.EffectFailed }); failed {
				t.Error("the effect failed")
			}
		})
	}
}
