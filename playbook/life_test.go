package playbook_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
	"github.com/oppflow/oppflow/settings/testrun"
)

// TestLives plays a hundred thousand opportunities under drawn playbooks, three thousand in the short form. It
// checks every plan against what is promised of plans. A failure prints the seed, the playbook and the life.
// LIFE=seed/playbook/life plays that life again and prints what happens.
func TestLives(t *testing.T) {
	lives, books := testrun.Pick(t, 2_000, 100_000), testrun.Pick(t, 50, 500)
	seed := rand.Uint64()
	if again := os.Getenv("LIFE"); again != "" {
		var n, number int
		if _, err := fmt.Sscanf(again, "%d/%d/%d", &seed, &n, &number); err != nil {
			t.Fatalf("LIFE=%s: %v; write seed/playbook/life", again, err)
		}
		b := drawBook(t, rand.New(rand.NewPCG(seed, uint64(n))))
		l := newLife(b, seed, number, nil)
		l.listens = true
		wrong := l.live()
		t.Logf("%s\n%s", b.text, strings.Join(l.told, "\n"))
		if wrong != "" {
			t.Error(wrong)
		}
		return
	}
	began := time.Now()
	var all counts
	for n := range books {
		b := drawBook(t, rand.New(rand.NewPCG(seed, uint64(n))))
		for number := n; number < lives; number += books {
			l := newLife(b, seed, number, nil)
			if wrong := l.live(); wrong != "" {
				t.Fatalf("LIFE=%d/%d/%d: %s", seed, n, number, wrong)
			}
			all.add(l.counts)
		}
	}
	t.Logf("seed %d: %d lives in %s: %+v", seed, lives, time.Since(began).Round(time.Millisecond), all)
	// A test without events proves nothing.
	for what, n := range map[string]int{
		"plans": all.plans, "follow-ups": all.planned, "done": all.done, "cancelled": all.cancelled, "moves by follow-ups": all.moved,
		"places given back": all.released, "left out": all.leftOut, "as many as may be": all.full,
	} {
		if n < lives/100 {
			t.Errorf("%s: only %d in %d lives", what, n, lives)
		}
	}
}

// TestLivesFindWhatIsWrong asserts that plans with one deliberate mistake each are found wrong.
func TestLivesFindWhatIsWrong(t *testing.T) {
	each := func(spoil func(*life, *opportunity.FollowUp)) spoiler {
		return func(l *life, b *book, facts playbook.Facts, occasion opportunity.Occasion) opportunity.Plan {
			plan := b.first.Plan(facts, occasion)
			for i := range plan.FollowUps {
				spoil(l, &plan.FollowUps[i])
			}
			return plan
		}
	}
	released := func(spoil func([]opportunity.Effect) []opportunity.Effect) spoiler {
		return func(_ *life, b *book, facts playbook.Facts, occasion opportunity.Occasion) opportunity.Plan {
			plan := b.first.Plan(facts, occasion)
			plan.After = spoil(plan.After)
			return plan
		}
	}
	isRelease := func(e opportunity.Effect) bool { return e.Kind == opportunity.EffectRelease }
	for name, spoil := range map[string]spoiler{
		"keys tell when the plan was made": each(func(l *life, f *opportunity.FollowUp) { f.Key += l.facts.Now.Format("/150405") }),
		"keys begin with when the plan was made": each(func(l *life, f *opportunity.FollowUp) {
			f.Key = strings.Replace(f.Key, "/", "/"+l.facts.Now.Format("20060102T150405Z")+"/", 1)
		}),
		"keys do not tell the number":    each(func(_ *life, f *opportunity.FollowUp) { f.Key = f.Key[:strings.LastIndexByte(f.Key, '/')] + "/1" }),
		"keys do not tell the reason":    each(func(_ *life, f *opportunity.FollowUp) { f.Key = fmt.Sprint(f.Name, "/", f.Number) }),
		"an hour too early":              each(func(_ *life, f *opportunity.FollowUp) { f.Due = f.Due.Add(-time.Hour) }),
		"in the past":                    each(func(l *life, f *opportunity.FollowUp) { f.Due = l.facts.Now.Add(-time.Second) }),
		"at once":                        each(func(l *life, f *opportunity.FollowUp) { f.Due = l.facts.Now }),
		"put off whenever it is planned": each(func(l *life, f *opportunity.FollowUp) { f.Due = f.Due.Add(time.Duration(l.plans) * time.Second) }),
		"of the wrong count":             each(func(_ *life, f *opportunity.FollowUp) { f.Number = 1 }),
		"what was done is forgotten": func(_ *life, b *book, facts playbook.Facts, occasion opportunity.Occasion) opportunity.Plan {
			facts.Done = nil
			return b.first.Plan(facts, occasion)
		},
		"the last that was done is forgotten": func(_ *life, b *book, facts playbook.Facts, occasion opportunity.Occasion) opportunity.Plan {
			facts.Done = facts.Done[:max(0, len(facts.Done)-1)]
			return b.first.Plan(facts, occasion)
		},
		"the cap is ignored": func(_ *life, b *book, facts playbook.Facts, occasion opportunity.Occasion) opportunity.Plan {
			return b.uncapped().Plan(facts, occasion)
		},
		"quiet hours are ignored": func(_ *life, b *book, facts playbook.Facts, occasion opportunity.Occasion) opportunity.Plan {
			return b.loud().Plan(facts, occasion)
		},
		"the step before is planned for": func(l *life, b *book, facts playbook.Facts, occasion opportunity.Occasion) opportunity.Plan {
			if occasion == (opportunity.Occasion{}) {
				facts.Step = l.before
			}
			return b.first.Plan(facts, occasion)
		},
		"the condition is ignored": func(l *life, b *book, facts playbook.Facts, occasion opportunity.Occasion) opportunity.Plan {
			facts.Attributes = map[string]string{"po": "1"}
			return b.first.Plan(facts, occasion)
		},
		"the move comes first": func(_ *life, b *book, facts playbook.Facts, occasion opportunity.Occasion) opportunity.Plan {
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
		"in no order": func(_ *life, b *book, facts playbook.Facts, occasion opportunity.Occasion) opportunity.Plan {
			plan := b.first.Plan(facts, occasion)
			slices.Reverse(plan.FollowUps)
			return plan
		},
		"places are not given back": released(func(after []opportunity.Effect) []opportunity.Effect { return slices.DeleteFunc(after, isRelease) }),
		"places are given back twice": released(func(after []opportunity.Effect) []opportunity.Effect {
			if at := slices.IndexFunc(after, isRelease); at >= 0 {
				after = append(after, after[at])
			}
			return after
		}),
		"a worker that loaded the file again plans another way": func(l *life, b *book, facts playbook.Facts, occasion opportunity.Occasion) opportunity.Plan {
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
			drawn := make([]*book, books)
			for number := range lives {
				b := drawn[number%books]
				if b == nil {
					b = drawBook(t, rand.New(rand.NewPCG(seed, uint64(number))))
					drawn[number] = b
				}
				if wrong := newLife(b, seed, number, spoil).live(); wrong != "" {
					t.Logf("found in life %d: %s", number, wrong)
					return
				}
			}
			t.Errorf("seed %d: not found in %d lives", seed, lives)
		})
	}
}
