package playbook_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
	"github.com/oppflow/oppflow/settings/testrun"
)

// TestLives simulates a hundred thousand opportunities under random playbooks, or two thousand in a
// short test run. When a simulation fails, the test prints the seed, the playbook and the number of
// the simulation. The environment variable LIFE=seed/playbook/number repeats one simulation and
// prints what happens in the simulation.
func TestLives(t *testing.T) {
	lives, books := testrun.Pick(t, 2_000, 100_000), testrun.Pick(t, 50, 500)
	seed := rand.Uint64()
	if again := os.Getenv("LIFE"); again != "" {
		var n, number int
		if _, err := fmt.Sscanf(again, "%d/%d/%d", &seed, &n, &number); err != nil {
			t.Fatalf("LIFE=%s: %v; write seed/playbook/number", again, err)
		}
		b := drawPlaybook(t, rand.New(rand.NewPCG(seed, uint64(n))))
		l := newSimulation(b, seed, number, nil)
		l.logging = true
		wrong := l.run()
		t.Logf("%s\n%s", b.text, strings.Join(l.log, "\n"))
		if wrong != "" {
			t.Error(wrong)
		}
		return
	}
	began := time.Now()
	var all counts
	for n := range books {
		b := drawPlaybook(t, rand.New(rand.NewPCG(seed, uint64(n))))
		for number := n; number < lives; number += books {
			l := newSimulation(b, seed, number, nil)
			if wrong := l.run(); wrong != "" {
				t.Fatalf("LIFE=%d/%d/%d: %s", seed, n, number, wrong)
			}
			all.add(l.counts)
		}
	}
	t.Logf("seed %d: %d lives in %s: %+v", seed, lives, time.Since(began).Round(time.Millisecond), all)
	// If a count is too low, the simulations hardly test the rules for the counted case.
	for what, n := range map[string]int{
		"plans": all.plans, "follow-ups": all.planned, "done": all.done, "cancelled": all.cancelled, "moves by follow-ups": all.moved,
		"places given back": all.released, "left out": all.leftOut, "as many as may be": all.full,
	} {
		if n < lives/100 {
			t.Errorf("%s: only %d in %d lives", what, n, lives)
		}
	}
}

func TestLivesFindWhatIsWrong(t *testing.T) {
	each := func(spoil func(*simulation, *exchange.FollowUp)) brokenPlanner {
		return func(l *simulation, b *drawnPlaybook, facts playbook.Facts, occasion exchange.PlanCause) exchange.Plan {
			plan := b.first.Plan(facts, occasion)
			for i := range plan.FollowUps {
				spoil(l, &plan.FollowUps[i])
			}
			return plan
		}
	}
	released := func(spoil func([]exchange.Effect) []exchange.Effect) brokenPlanner {
		return func(_ *simulation, b *drawnPlaybook, facts playbook.Facts, occasion exchange.PlanCause) exchange.Plan {
			plan := b.first.Plan(facts, occasion)
			plan.After = spoil(plan.After)
			return plan
		}
	}
	isRelease := func(e exchange.Effect) bool { return e.Kind == opportunity.EffectRelease }
	for name, spoil := range map[string]brokenPlanner{
		"keys tell when the plan was made": each(func(l *simulation, f *exchange.FollowUp) { f.Key += l.facts.Now.Format("/150405") }),
		"keys begin with when the plan was made": each(func(l *simulation, f *exchange.FollowUp) {
			f.Key = strings.Replace(f.Key, "/", "/"+l.facts.Now.Format("20060102T150405Z")+"/", 1)
		}),
		"keys do not tell the number":    each(func(_ *simulation, f *exchange.FollowUp) { f.Key = f.Key[:strings.LastIndexByte(f.Key, '/')] + "/1" }),
		"keys do not tell the reason":    each(func(_ *simulation, f *exchange.FollowUp) { f.Key = fmt.Sprint(f.Name, "/", f.Number) }),
		"an hour too early":              each(func(_ *simulation, f *exchange.FollowUp) { f.Due = f.Due.Add(-time.Hour) }),
		"in the past":                    each(func(l *simulation, f *exchange.FollowUp) { f.Due = l.facts.Now.Add(-time.Second) }),
		"at once":                        each(func(l *simulation, f *exchange.FollowUp) { f.Due = l.facts.Now }),
		"put off whenever it is planned": each(func(l *simulation, f *exchange.FollowUp) { f.Due = f.Due.Add(time.Duration(l.plans) * time.Second) }),
		"of the wrong count":             each(func(_ *simulation, f *exchange.FollowUp) { f.Number = 1 }),
		"what was done is forgotten": func(_ *simulation, b *drawnPlaybook, facts playbook.Facts, occasion exchange.PlanCause) exchange.Plan {
			facts.Done = nil
			return b.first.Plan(facts, occasion)
		},
		"the last that was done is forgotten": func(_ *simulation, b *drawnPlaybook, facts playbook.Facts, occasion exchange.PlanCause) exchange.Plan {
			facts.Done = facts.Done[:max(0, len(facts.Done)-1)]
			return b.first.Plan(facts, occasion)
		},
		"the cap is ignored": func(_ *simulation, b *drawnPlaybook, facts playbook.Facts, occasion exchange.PlanCause) exchange.Plan {
			return b.uncapped().Plan(facts, occasion)
		},
		"quiet hours are ignored": func(_ *simulation, b *drawnPlaybook, facts playbook.Facts, occasion exchange.PlanCause) exchange.Plan {
			return b.withoutQuiet().Plan(facts, occasion)
		},
		"the step before is planned for": func(l *simulation, b *drawnPlaybook, facts playbook.Facts, occasion exchange.PlanCause) exchange.Plan {
			if occasion == (exchange.PlanCause{}) {
				facts.Step = l.before
			}
			return b.first.Plan(facts, occasion)
		},
		"the condition is ignored": func(l *simulation, b *drawnPlaybook, facts playbook.Facts, occasion exchange.PlanCause) exchange.Plan {
			facts.Attributes = map[string]string{"po": "1"}
			return b.first.Plan(facts, occasion)
		},
		"the move comes first": func(_ *simulation, b *drawnPlaybook, facts playbook.Facts, occasion exchange.PlanCause) exchange.Plan {
			plan := b.first.Plan(facts, occasion)
			for i := range plan.FollowUps {
				if plan.FollowUps[i].Action.Kind == opportunity.ActionProgress && plan.FollowUps[i].Of > 1 {
					f := plan.FollowUps[i]
					f.Due = plan.FollowUps[0].Due
					plan.FollowUps = slices.Insert(slices.Delete(plan.FollowUps, i, i+1), 0, f)
				}
			}
			return plan
		},
		"in no order": func(_ *simulation, b *drawnPlaybook, facts playbook.Facts, occasion exchange.PlanCause) exchange.Plan {
			plan := b.first.Plan(facts, occasion)
			slices.Reverse(plan.FollowUps)
			return plan
		},
		"places are not given back": released(func(after []exchange.Effect) []exchange.Effect { return slices.DeleteFunc(after, isRelease) }),
		"places are given back twice": released(func(after []exchange.Effect) []exchange.Effect {
			if at := slices.IndexFunc(after, isRelease); at >= 0 {
				after = append(after, after[at])
			}
			return after
		}),
		"a worker that loaded the file again plans another way": func(l *simulation, b *drawnPlaybook, facts playbook.Facts, occasion exchange.PlanCause) exchange.Plan {
			plan := b.first.Plan(facts, occasion)
			if l.again {
				plan.FollowUps = plan.FollowUps[:max(0, len(plan.FollowUps)-1)]
			}
			return plan
		},
	} {
		t.Run(name, func(t *testing.T) {
			seed := rand.Uint64()
			const lives, books = 5_000, 50
			drawn := make([]*drawnPlaybook, books)
			for number := range lives {
				b := drawn[number%books]
				if b == nil {
					b = drawPlaybook(t, rand.New(rand.NewPCG(seed, uint64(number))))
					drawn[number] = b
				}
				if wrong := newSimulation(b, seed, number, spoil).run(); wrong != "" {
					t.Logf("found in life %d: %s", number, wrong)
					return
				}
			}
			t.Errorf("seed %d: the deliberate mistake was not found in %d lives", seed, lives)
		})
	}
}
