package playbook

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func drawnFollowUps(t *rapid.T) (*Playbook, Facts) {
	work, calendar := drawnCalendar(t)
	length := drawnPeriod(t)
	rule := FollowUpRule{Name: "f", Do: ActionRule{Attention: &AttentionRule{Text: "Look"}}}
	facts := Facts{Now: anyMoment().Draw(t, "now"), Step: opportunity.Step{Name: "Proposed"}}
	ahead := facts.Now.Add(time.Duration(rapid.IntRange(1, 60*24*60).Draw(t, "minutes ahead")) * time.Minute)
	ago := facts.Now.Add(-time.Duration(rapid.IntRange(0, 60*24*60).Draw(t, "minutes ago")) * time.Minute)
	switch rapid.SampledFrom([]anchor{sinceStep, sinceIdle, untilReservationExpiry, untilEventStart}).Draw(t, "anchor") {
	case sinceStep:
		rule.Due.InStep, facts.Entered = &length, ago
	case sinceIdle:
		rule.Due.Idle, facts.LastActivity = &length, ago
	case untilReservationExpiry:
		rule.Due.BeforeReservationExpiry, facts.Reservation = &length, opportunity.Reservation{Valid: true, Until: ahead}
	case untilEventStart:
		length.Count++ // a period of 0 would not be valid
		rule.Due.BeforeStart = &length
		facts.Interests = []Interest{{Item: "e", Kind: opportunity.Event, Quantity: 1, Start: ahead}}
	}
	if rapid.Bool().Draw(t, "repeats") {
		every := drawnPeriod(t)
		every.Count++
		rule.Repeat = &Repeat{Times: rapid.IntRange(2, 4).Draw(t, "times"), Every: every}
		if rapid.Bool().Draw(t, "ends") {
			rule.Then = &ActionRule{Progress: &ProgressRule{To: "Lost"}}
		}
	}
	if rapid.Bool().Draw(t, "at any hour") {
		rule.Hours = "any"
	}
	return &Playbook{
		rules: Rules{
			Calendar: calendar, FollowUpsAtMost: rapid.IntRange(0, 5).Draw(t, "cap"),
			Steps: []StepRules{{At: StepSelector{Step: "Proposed"}, FollowUps: []FollowUpRule{rule}}},
		},
		calendar: work,
	}, facts
}

// TestFollowUpsAreDoneOnceAndInTime checks what is true of each plan, even if follow-ups are done
// late.
func TestFollowUpsAreDoneOnceAndInTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, facts := drawnFollowUps(t)
		rule := p.rules.Steps[0].FollowUps[0]
		most := p.rules.FollowUpsAtMost
		if most == 0 {
			most = DefaultFollowUpsPerOpportunity
		}
		var last *exchange.DoneFollowUp
		for {
			if len(facts.Done) > min(most, rule.followUpCount()) {
				t.Fatalf("%d were done of %d, at most %d", len(facts.Done), rule.followUpCount(), most)
			}
			plan := p.Plan(facts, exchange.PlanCause{})
			if len(plan.FollowUps) == 0 {
				return
			}
			if !slices.IsSortedFunc(plan.FollowUps, func(a, b exchange.FollowUp) int { return a.Due.Compare(b.Due) }) {
				t.Fatalf("not in order: %v", plan.FollowUps)
			}
			next := plan.FollowUps[0]
			course := p.plannerOf(facts).seriesOf(rule)[0]
			switch {
			case next.Due.Before(facts.Now) || next.Number == 1 && next.Due.Before(course.due):
				t.Fatalf("%s is due at %s, which is too early", next.Key, next.Due)
			case p.calendar.isQuiet(next.Due):
				t.Fatalf("%s is due at %s, which is quiet", next.Key, next.Due)
			case rule.Hours != "any" && p.calendar.open != nil && !p.calendar.isOpen(next.Due):
				t.Fatalf("%s is due at %s, out of business hours", next.Key, next.Due)
			case !course.deadline.IsZero() && !next.Due.Before(course.deadline):
				t.Fatalf("%s is due at %s, after %s", next.Key, next.Due, course.deadline)
			case slices.ContainsFunc(facts.Done, func(d exchange.DoneFollowUp) bool { return d.Key == next.Key }):
				t.Fatalf("%s is planned again", next.Key)
			case last != nil && next.Due.Before(p.calendar.add(last.At, rule.Repeat.Every)):
				t.Fatalf("%s is due at %s, too soon after %s", next.Key, next.Due, last.At)
			}
			// Each plan before next.Due must contain the same follow-up with the same due time.
			between := facts
			between.Now = facts.Now.Add(time.Duration(rapid.Int64Range(0, max(1, int64(next.Due.Sub(facts.Now)))).Draw(t, "on the way")))
			if again := p.Plan(between, exchange.PlanCause{}); between.Now.Before(next.Due) && (len(again.FollowUps) == 0 || again.FollowUps[0].Key != next.Key || !again.FollowUps[0].Due.Equal(next.Due)) {
				t.Fatalf("at %s it is %v, at %s %v", facts.Now, plan.FollowUps, between.Now, again.FollowUps)
			}
			facts.Now = next.Due.Add(time.Duration(rapid.IntRange(0, 2*24*60).Draw(t, "minutes late")) * time.Minute)
			facts.Done = append(slices.Clone(facts.Done), exchange.DoneFollowUp{Key: next.Key, At: facts.Now})
			last = &facts.Done[len(facts.Done)-1]
			if !course.deadline.IsZero() && !course.deadline.After(facts.Now) {
				return // the reservation has expired, or the event has started
			}
		}
	})
}

// TestPlansStaySmall checks that a plan for many events has at most followUpsAtMost follow-ups.
func TestPlansStaySmall(t *testing.T) {
	p, err := Load([]byte("steps:\n  - at: { step: Proposed }\n    followUps:\n" +
		"      - { name: f, due: { beforeStart: 1 day }, repeat: { times: 20, every: 1 minute }, do: { attention: { text: Look } } }\n"))
	if err != nil {
		t.Fatal(err)
	}
	facts := Facts{Now: at(t, "2026-11-30T10:00:00Z"), Step: opportunity.Step{Name: "Proposed"}}
	for n := range 500 {
		facts.Interests = append(facts.Interests, Interest{
			Item: opportunity.ID(rune('a'+n%26)) + opportunity.ID(rune('a'+n/26)), Kind: opportunity.Event, Quantity: 1,
			Start: facts.Now.AddDate(0, 0, 500-n),
		})
	}
	plan := p.Plan(facts, exchange.PlanCause{})
	if len(plan.FollowUps) != DefaultFollowUpsPerOpportunity || len(plan.SkippedFollowUps) != maxListed {
		t.Errorf("%d follow-ups are planned and %d are skipped", len(plan.FollowUps), len(plan.SkippedFollowUps))
	}
	for i, f := range plan.FollowUps {
		if want := facts.Now.Add(time.Duration(i) * time.Minute); !f.Due.Equal(want) {
			t.Errorf("number %d is due at %s, want %s", i, f.Due, want)
		}
	}
}
