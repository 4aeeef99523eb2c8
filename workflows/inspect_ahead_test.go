package workflows_test

import (
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
)

func (r *fakeTMS) inspections() int {
	n := 0
	for _, call := range r.calls {
		if call == activities.InspectEffect {
			n++
		}
	}
	return n
}

// After a request that changes something, the run inspects the incomplete effects again.
func TestEffectsAreInspectedTogether(t *testing.T) {
	for _, c := range []struct {
		name    string
		missing []string // the effects that need a request
		want    int
	}{
		{"nothing is missing", nil, 1},
		{"the first is missing", []string{"account"}, 2},
		{"the last is missing", []string{"invoice"}, 2},
		{"two are missing", []string{"account", "tokens"}, 3},
		{"all are missing", []string{"account", "contacts", "tokens", "invoice"}, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newFixture(t)
			effects := []string{"account", "contacts", "tokens", "invoice"}
			b := withTransitionEffects(s, nil, effects)
			for _, name := range effects {
				b.resources[name].done = 1
			}
			for _, name := range c.missing {
				b.resources[name].done = 0
			}
			s.at(time.Second, func() { s.update("p", "progress", to("Opportunity")) })
			s.at(time.Minute, func() {
				if got := s.tms.inspections(); got != c.want {
					t.Errorf("%d activities inspected the effects, want %d", got, c.want)
				}
				for _, name := range effects {
					if b.resources[name].done != 1 {
						t.Errorf("%s was done %d times, want once", name, b.resources[name].done)
					}
				}
				if v := s.view(); len(v.RunningEffects) > 0 || len(v.EffectResults) != len(effects) {
					t.Errorf("running %+v, ended %+v", v.RunningEffects, v.EffectResults)
				}
			})
			s.winAt(time.Hour)
			s.run(start, nil)
		})
	}
}
