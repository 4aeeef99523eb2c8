package workflows_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// plannedFollowUp is a follow-up of the step called Proposed. The follow-up is due when the
// duration `after` has passed since the opportunity entered the step.
type plannedFollowUp struct {
	name   string
	after  time.Duration
	action exchange.Action
}

var (
	callFollowUp  = plannedFollowUp{"call", time.Hour, exchange.Action{Kind: opportunity.ActionAttention, Attention: "call them"}}
	emailFollowUp = plannedFollowUp{"mail", 2 * time.Hour, exchange.Action{
		Kind: opportunity.ActionEmail, Settings: exchange.NewSettings(exchange.SendEmail{To: exchange.ToContact, Template: "reminder"}),
	}}
	progressFollowUp = plannedFollowUp{"move", 3 * time.Hour, exchange.Action{Kind: opportunity.ActionProgress, Progress: &opportunity.Progress{To: "Opportunity"}}}
)

func followUps(s *fixture, all ...plannedFollowUp) *fakePlaybook {
	b := &fakePlaybook{features: activities.PlaybookFeatures{Digest: "one", FollowUps: true}, resources: map[string]*fakeResource{}}
	for _, f := range all {
		switch f.action.Kind {
		case opportunity.ActionEmail:
			b.resources[f.name] = &fakeResource{required: 1, kind: exchange.RequestEmail}
		case opportunity.ActionCall:
			b.resources[f.name] = &fakeResource{required: 1, kind: exchange.RequestCall}
		}
	}
	b.plan = func(in activities.PlanInput) exchange.Plan {
		plan := exchange.Plan{Digest: "one"}
		if s.tms.step.Name != "Proposed" {
			return plan
		}
		for _, f := range all {
			key := keyOf(in.Entered, f.name)
			if slices.ContainsFunc(in.DoneFollowUps, func(d exchange.DoneFollowUp) bool { return d.Key == key }) {
				continue
			}
			due := in.Entered.Add(f.after)
			if due.Before(in.Now) {
				due = in.Now
			}
			plan.FollowUps = append(plan.FollowUps, exchange.FollowUp{Key: key, Name: f.name, Due: due, Number: 1, Of: 1, Action: f.action})
		}
		return plan
	}
	s.tms.playbook = b
	return b
}

func keyOf(entered time.Time, name string) string {
	return fmt.Sprintf("rule/%s/%s", entered.UTC().Format("20060102T150405Z"), name)
}

// startTime is when the opportunities of these tests enter their first step.
var startTime = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func followUpKey(name string) string { return keyOf(startTime, name) }

func (s *fixture) followUpLog() string {
	s.t.Helper()
	var all []string
	for _, m := range s.view().Timeline {
		if key, is := strings.CutPrefix(m.Text, "follow-up started: "); is {
			all = append(all, fmt.Sprint(key[strings.LastIndex(key, "/")+1:], " ", m.At.Sub(startTime).Round(time.Minute)))
		}
	}
	return strings.Join(all, ", ")
}

func (s *fixture) wantFollowUps(want string) {
	s.t.Helper()
	if got := s.followUpLog(); got != want {
		s.t.Errorf("follow-up started: %s; want %s", got, want)
	}
}

// wantNext asserts the time of the next action in the search attributes; zero means that no action
// is planned.
func (s *fixture) wantNext(want time.Duration) {
	s.t.Helper()
	got, set := s.searchAttributes.GetTime(lifecycle.OpportunityNextActionTime)
	if set != (want != 0) || set && !got.Equal(startTime.Add(want)) {
		s.t.Errorf("%s after the begin the next action is shown at %s; want %s after the begin", s.env.Now().Sub(startTime), got, want)
	}
}

func TestFollowUpsAreDoneAtTheirTimes(t *testing.T) {
	s := newFixture(t)
	followUps(s, callFollowUp, emailFollowUp, progressFollowUp)
	var timers []time.Duration
	s.env.SetOnTimerScheduledListener(func(_ string, d time.Duration) { timers = append(timers, d.Round(time.Minute)) })
	s.at(30*time.Minute, func() {
		s.wantFollowUps("")
		s.wantNext(time.Hour)
		if v := s.view(); len(v.FollowUps) != 3 || v.FollowUps[0].Key != followUpKey("call") {
			t.Errorf("planned are %+v", v.FollowUps)
		}
	})
	s.at(90*time.Minute, func() {
		if got := s.attention(); !slices.Equal(got, []string{"followUp"}) {
			t.Errorf("attention: %v", got)
		}
		s.wantNext(2 * time.Hour)
	})
	s.at(150*time.Minute, func() { s.wantNext(3 * time.Hour) })
	s.at(4*time.Hour, func() {
		s.wantFollowUps("call 1h0m0s, mail 2h0m0s, move 3h0m0s")
		s.wantNext(0)
		if diff := cmp.Diff([]time.Duration{time.Hour, time.Hour, time.Hour}, timers); diff != "" {
			t.Errorf("timers, one for the earliest (-want +got):\n%s", diff)
		}
		s.update("won", "progress", to("Won"))
	})
	s.run(start, nil)
	s.wantDone("won")
	s.wantLog("create", "do mail", "progress Opportunity", "progress Won")
}

// A run may continue as new at any time. The next run does only the follow-ups that no earlier run
// did.
func TestFollowUpsAreDoneOnceAcrossRuns(t *testing.T) {
	for _, cut := range []time.Duration{30 * time.Minute, time.Hour, 90 * time.Minute, 2 * time.Hour, 150 * time.Minute, 3*time.Hour + time.Minute} {
		t.Run(cut.String(), func(t *testing.T) {
			first := newFixture(t)
			b := followUps(first, callFollowUp, emailFollowUp, progressFollowUp)
			first.at(cut, func() {
				first.env.SetContinueAsNewSuggested(true)
				first.env.SignalWorkflow("resume", opportunity.Resume{}) // wakes the run
			})
			first.run(start, nil)
			next := first.continued()
			second := newFixtureOver(t, first.tms)
			second.env.SetStartTime(first.env.Now())
			again := followUps(second, callFollowUp, emailFollowUp, progressFollowUp)
			again.resources = b.resources
			left := 4*time.Hour - cut
			second.at(left, func() {
				second.wantFollowUps("call 1h0m0s, mail 2h0m0s, move 3h0m0s")
				second.update("won", "progress", to("Won"))
			})
			second.run(nil, next)
			second.wantDone("won")
			second.wantLog("create", "do mail", "progress Opportunity", "progress Won")
		})
	}
}

// A snoozed follow-up is done at its new time, even when a second snooze moves the follow-up to an
// earlier time.
func TestAFollowUpIsSnoozed(t *testing.T) {
	for _, way := range []string{"update", "signal"} {
		t.Run(way, func(t *testing.T) {
			s := newFixture(t)
			followUps(s, callFollowUp, emailFollowUp)
			off := func(id string, until time.Duration) opportunity.Snooze {
				return opportunity.Snooze{RequestID: id, FollowUp: followUpKey("mail"), Until: startTime.Add(until), Reason: "on holiday"}
			}
			s.at(90*time.Minute, func() { s.sendOperatorCommand(way, "far", off("far", 50*time.Hour)) })
			s.at(100*time.Minute, func() {
				s.wantNext(50 * time.Hour)
				if got := s.view().FollowUps; len(got) != 1 || !got[0].SnoozedUntil.Equal(startTime.Add(50*time.Hour)) || got[0].Reason != "on holiday" {
					t.Errorf("planned are %+v", got)
				}
			})
			s.at(3*time.Hour, func() { s.wantFollowUps("call 1h0m0s"); s.sendOperatorCommand(way, "near", off("near", 5*time.Hour)) })
			s.at(4*time.Hour, func() { s.wantNext(5 * time.Hour) })
			s.at(5*time.Hour+time.Minute, func() {
				s.wantFollowUps("call 1h0m0s, mail 5h0m0s")
				s.wantNext(0)
				s.update("late", "snooze", off("late", 9*time.Hour))
			})
			s.at(60*time.Hour, func() { s.wantFollowUps("call 1h0m0s, mail 5h0m0s") })
			s.winAt(60 * time.Hour)
			s.run(start, nil)
			s.wantDoneBy(way, "far", "near")
			s.wantRefused("late", opportunity.NotFound)
			s.wantLog("create", "do mail", "progress Opportunity", "progress Won")
		})
	}
}

func TestATimeThatHasPassedIsRefused(t *testing.T) {
	s := newFixture(t)
	followUps(s, emailFollowUp)
	s.at(time.Hour, func() {
		s.update("past", "snooze", opportunity.Snooze{FollowUp: followUpKey("mail"), Until: startTime.Add(time.Hour)})
		s.update("unknown", "cancelFollowUp", opportunity.CancelFollowUp{FollowUp: "mail", Reason: "we talked"})
	})
	s.winAt(3 * time.Hour)
	s.run(start, nil)
	s.wantRefused("past", opportunity.Invalid)
	s.wantRefused("unknown", opportunity.NotFound)
	s.wantLog("create", "do mail", "progress Opportunity", "progress Won")
}

func TestACancelledFollowUpIsNeverDone(t *testing.T) {
	for _, way := range []string{"update", "signal"} {
		t.Run(way, func(t *testing.T) {
			s := newFixture(t)
			followUps(s, emailFollowUp, progressFollowUp)
			s.at(time.Hour, func() {
				s.sendOperatorCommand(way, "c", opportunity.CancelFollowUp{RequestID: "c", FollowUp: followUpKey("mail"), Reason: "we talked"})
			})
			s.at(61*time.Minute, func() {
				s.wantNext(3 * time.Hour)
				if got := s.view().EffectResults; len(got) != 1 || got[0].Key != followUpKey("mail") || got[0].Reason != "we talked" {
					t.Errorf("effects: %+v", got)
				}
			})
			s.at(4*time.Hour, func() { s.wantFollowUps("move 3h0m0s"); s.update("won", "progress", to("Won")) })
			s.run(start, nil)
			s.wantDoneBy(way, "c")
			s.wantLog("create", "progress Opportunity", "progress Won")
		})
	}
}

// Follow-ups that become due during a pause are done after the pause.
func TestNothingIsFollowedUpDuringAPause(t *testing.T) {
	s := newFixture(t)
	followUps(s, callFollowUp, emailFollowUp)
	s.at(30*time.Minute, func() { s.update("p", "pause", pauseCommand) })
	s.at(5*time.Hour, func() { s.wantFollowUps(""); s.update("r", "resume", opportunity.Resume{}) })
	s.at(6*time.Hour, func() { s.wantFollowUps("call 5h0m0s, mail 5h0m0s") })
	s.winAt(6 * time.Hour)
	s.run(start, nil)
	s.wantDone("p", "r")
	s.wantLog("create", "do mail", "progress Opportunity", "progress Won")
}

func TestATransitionEndsTheFollowUpsOfItsStep(t *testing.T) {
	s := newFixture(t)
	followUps(s, emailFollowUp)
	s.at(30*time.Minute, func() { s.wantNext(2 * time.Hour); s.update("p", "progress", to("Opportunity")) })
	s.at(40*time.Minute, func() {
		s.wantNext(0)
		if got := s.view().FollowUps; len(got) != 0 {
			t.Errorf("planned are %+v", got)
		}
	})
	s.at(5*time.Hour, func() { s.wantFollowUps(""); s.update("won", "progress", to("Won")) })
	s.run(start, nil)
	s.wantDone("p", "won")
	s.wantLog("create", "progress Opportunity", "progress Won")
}

// A person makes a transition in the TMS by hand. The run detects the transition when the follow-up
// is due, and drops the follow-up.
func TestManualChangeRemovesTheFollowUp(t *testing.T) {
	s := newFixture(t)
	followUps(s, emailFollowUp)
	s.at(30*time.Minute, func() {
		s.tms.mu.Lock()
		defer s.tms.mu.Unlock()
		s.tms.step = steps[1]
	})
	s.at(3*time.Hour, func() {
		s.wantFollowUps("")
		s.wantNext(0)
		if got := s.view().Step.Name; got != "Opportunity" {
			t.Errorf("it stands in %s", got)
		}
		s.update("won", "progress", to("Won"))
	})
	s.run(start, nil)
	s.wantDone("won")
	s.wantLog("create", "progress Won")
}

// If the API is unreachable when a follow-up is due, the follow-up waits until the API responds.
// The follow-up is then done once.
func TestAFollowUpWaitsForTheAPI(t *testing.T) {
	s := newFixture(t)
	followUps(s, callFollowUp, emailFollowUp)
	plans, before := s.countStarted(activities.PlanOpportunity), 0
	reach := func(down error) {
		s.tms.mu.Lock()
		defer s.tms.mu.Unlock()
		s.tms.down = down
	}
	s.at(90*time.Minute, func() {
		before = *plans
		reach(errors.New("out of reach"))
	})
	s.at(10*time.Hour, func() {
		if s.wantFollowUps("call 1h0m0s"); *plans > before+16 {
			t.Errorf("%d activities during 8 hours of outage; want at most 16", *plans-before)
		}
		reach(nil)
	})
	s.at(10*time.Hour+2*time.Minute, func() {
		if !strings.HasPrefix(s.followUpLog(), "call 1h0m0s, mail 10h") {
			t.Errorf("follow-up started: %s", s.followUpLog())
		}
		s.wantNext(0)
	})
	s.winAt(11 * time.Hour)
	s.run(start, nil)
	s.wantLog("create", "do mail", "progress Opportunity", "progress Won")
}
