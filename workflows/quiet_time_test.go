package workflows_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func (b *fakePlaybook) countPlans(s *fixture) (at *[]time.Duration, timers *int) {
	at, timers = new([]time.Duration), new(int)
	plan := b.plan
	b.plan = func(in activities.PlanInput) exchange.Plan {
		*at = append(*at, in.Now.Sub(startTime).Round(time.Second))
		return plan(in)
	}
	s.env.SetOnTimerScheduledListener(func(string, time.Duration) { *timers++ })
	return at, timers
}

// For consecutive commands the run makes one plan, after the quiet time or at the latest three
// minutes after the first command. The run also makes the plan before any due work.
func TestFollowUpsArePlannedWhenItIsQuiet(t *testing.T) {
	every := func(count int, pause time.Duration) (times []time.Duration) {
		for n := range count {
			times = append(times, 10*time.Minute+time.Duration(n)*pause)
		}
		return times
	}
	minutes := func(n float64) time.Duration { return time.Duration(n * float64(time.Minute)) }
	// No command arrives at the time of a plan, because such a command would interrupt the plan,
	// and the run would plan again.
	for name, c := range map[string]struct {
		commands []time.Duration
		due      time.Duration
		want     []time.Duration // when plans are made, after the plan for the start
		timers   int             // for commands and plans, besides the timers of callers
	}{
		"a lone command":                     {every(1, 0), 24 * time.Hour, []time.Duration{minutes(10.5)}, 1},
		"a burst":                            {every(10, time.Second), 24 * time.Hour, []time.Duration{10*time.Minute + 39*time.Second}, 2},
		"commands that are apart":            {every(3, time.Minute), 24 * time.Hour, []time.Duration{minutes(10.5), minutes(11.5), minutes(12.5)}, 3},
		"commands without a pause":           {every(20, 19*time.Second), 24 * time.Hour, []time.Duration{minutes(13), 16*time.Minute + 10*time.Second}, 20},
		"a follow-up that is due before":     {every(1, 0), minutes(10) + 10*time.Second, []time.Duration{minutes(10) + 10*time.Second}, 1},
		"a follow-up of the time of a burst": {every(10, time.Second), minutes(10) + 5*time.Second, nil, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			b := followUps(s, plannedFollowUp{"call", c.due, exchange.Action{Kind: opportunity.ActionAttention, Attention: "call them"}})
			b.features.QuietTime = activities.DefaultQuietTime
			plans, timers := b.countPlans(s)
			before := 0
			s.at(9*time.Minute, func() {
				if len(*plans) != 1 || (*plans)[0] != 30*time.Second {
					t.Errorf("the start was planned for at %v; want once, after 30 s", *plans)
				}
				before = *timers
			})
			for n, at := range c.commands {
				s.at(at, func() {
					s.env.SignalWorkflow("updateDetails", opportunity.UpdateDetails{Name: fmt.Sprint("Name ", n)})
				})
			}
			s.at(23*time.Minute, func() {
				got := (*plans)[1:]
				if c.want != nil && fmt.Sprint(got) != fmt.Sprint(c.want) {
					t.Errorf("planned at %v; want %v", got, c.want)
				}
				if more := *timers - before; more > c.timers {
					t.Errorf("%d timers were begun; want at most %d", more, c.timers)
				}
				if c.due < 23*time.Minute {
					s.wantFollowUps(fmt.Sprint("call ", c.due.Round(time.Minute)))
				}
			})
			s.winAt(25 * time.Minute)
			s.run(start, nil)
			if err := s.env.GetWorkflowError(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
