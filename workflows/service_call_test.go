package workflows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// When a service does not respond, the run still handles messages, and the attention names the
// service. An operator may retry or skip the call.
func TestAServiceThatIsDownDelaysNothingElse(t *testing.T) {
	for _, way := range []string{"it comes back", "retry", "skip"} {
		for _, hangs := range []bool{false, true} {
			name := way + ", refuses"
			if hangs {
				name = way + ", hangs"
			}
			t.Run(name, func(t *testing.T) {
				s := newFixture(t)
				b := withTransitionEffects(s, nil, []string{"crm", "note"})
				crm := b.resources["crm"]
				crm.kind, crm.unreachable, crm.hangs = exchange.RequestCall, !hangs, hangs
				s.at(time.Second, func() { s.update("p", "progress", to("Opportunity")) })
				s.at(3*time.Second, func() { s.wantDone("p"); s.update("u", "addInterests", add(1)) })
				s.at(5*time.Second, func() { s.wantDone("u") })
				s.at(30*time.Minute, func() {
					if got := s.attention(); !slices.Equal(got, []string{"service"}) {
						t.Errorf("attention: %q; want service", got)
					}
					v := s.view()
					if v.Wait != nil {
						t.Errorf("everything waits: %+v", v.Wait)
					}
					if len(v.Attention) == 1 && !strings.Contains(v.Attention[0].Reason, "service") {
						t.Errorf("the attention does not name the service: %q", v.Attention[0].Reason)
					}
					key := v.RunningEffects[0].Key
					if way == "skip" {
						s.update("answer", "skip", opportunity.Skip{Request: key, Reason: "by hand"})
						return
					}
					crm.unreachable, crm.hangs = false, false
					if way == "retry" {
						s.update("answer", "retry", opportunity.Retry{Request: key})
					}
				})
				within := 11 * time.Minute
				if way != "it comes back" {
					within = 5 * time.Second
				}
				s.at(30*time.Minute+within, func() {
					if way != "it comes back" {
						s.wantDone("answer")
					}
					if got := s.attention(); len(got) > 0 {
						t.Errorf("attention at the end: %q", got)
					}
				})
				s.winAt(time.Hour)
				s.run(start, nil)
				want := []string{"create", "progress Opportunity", "interest 1", "do crm", "do note", "progress Won"}
				if way == "skip" {
					want = slices.DeleteFunc(want, func(w string) bool { return w == "do crm" })
				}
				s.wantLog(want...)
			})
		}
	}
}

// If a service did not respond, the run repeats the call when the next call is due, even if no
// message wakes the run.
func TestAServiceIsCalledAgainByItself(t *testing.T) {
	for _, quiet := range []time.Duration{0, 30 * time.Second} {
		for name, before := range map[string]bool{"before a move": true, "after a move": false} {
			t.Run(name+" "+quiet.String(), func(t *testing.T) {
				s := newFixture(t)
				names := [2][]string{{"crm"}, nil}
				if !before {
					names = [2][]string{nil, {"crm"}}
				}
				b := withTransitionEffects(s, names[0], names[1])
				b.features.QuietTime = quiet
				crm := b.resources["crm"]
				crm.kind = exchange.RequestCall
				looked := 0
				// The service fails ten times; the last failures are ten minutes apart.
				crm.inspect = func(activities.EffectInput) *activities.InspectResult {
					looked++
					crm.unreachable = looked <= 10
					return nil
				}
				s.at(time.Second, func() { s.env.SignalWorkflow("progress", to("Opportunity")) })
				s.at(time.Hour, func() {
					if crm.done != 1 || s.tms.step.Name != "Opportunity" {
						t.Errorf("after an hour the service was called %d times and did it %d times, in step %s; want it called until it answered", looked, crm.done, s.tms.step.Name)
					}
				})
				s.winAt(2 * time.Hour)
				s.run(start, nil)
			})
		}
	}
}

// A follow-up calls a service, and the response is lost, so the run cannot withdraw the follow-up.
// A command that arrives before the next call, or while Oppflow prepares the next call, is executed
// before the call.
func TestACommandGoesBeforeTheNextCallOfAFollowUp(t *testing.T) {
	for name, after := range map[string]time.Duration{
		"it comes while the call is prepared": 8 * time.Second,
		"it comes between two calls":          40 * time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			b := followUps(s, plannedFollowUp{"crm", time.Hour, exchange.Action{
				Kind: opportunity.ActionCall, Settings: exchange.NewSettings(exchange.CallService{Service: "erp", Path: "/orders"}),
			}})
			crm := b.resources["crm"]
			crm.hangs = true
			s.failsAttempt = func(info activity.Info) error {
				if now := s.env.Now().Sub(startTime); info.ActivityType.Name == activities.InspectEffect && now > time.Hour+4*time.Second && now < time.Hour+5*time.Minute {
					return temporal.NewApplicationError("no answer", string(activities.ReasonUnreachable))
				}
				return nil
			}
			s.at(time.Hour+after, func() { s.update("u", "addInterests", add(1)) })
			s.at(time.Hour+after+3*time.Second, func() { s.wantDone("u") })
			s.at(time.Hour+10*time.Minute, func() { crm.hangs = false })
			s.winAt(3 * time.Hour)
			s.run(start, nil)
			if crm.done != 1 {
				t.Errorf("the service was called %d times after it came back", crm.done)
			}
			s.wantLog("create", "interest 1", "do crm", "progress Opportunity", "progress Won")
		})
	}
}

// A command that arrives while the run reads the record for a follow-up is executed before the
// follow-up. The command moves the opportunity out of the step of the follow-up.
func TestACommandOvertakesAFollowUp(t *testing.T) {
	for name, f := range map[string]plannedFollowUp{
		"a move": {"give up", time.Hour, exchange.Action{Kind: opportunity.ActionProgress, Progress: &opportunity.Progress{To: "Lost"}}},
		"a mail": {"mail", time.Hour, emailFollowUp.action},
		"a word": {"call", time.Hour, callFollowUp.action},
	} {
		for _, held := range []string{activities.PlanOpportunity, activities.InspectEffect} {
			t.Run(name+", while "+held+" is under way", func(t *testing.T) {
				if held == activities.InspectEffect && name != "a mail" {
					t.Skip("nothing else has an effect to look at")
				}
				s := newFixture(t)
				followUps(s, f)
				// The read takes several attempts, and the command arrives between two attempts.
				s.failsAttempt = func(info activity.Info) error {
					if now := s.env.Now().Sub(startTime); info.ActivityType.Name == held && now > time.Hour-time.Second && now < time.Hour+10*time.Second {
						return temporal.NewApplicationError("no answer", string(activities.ReasonUnreachable))
					}
					return nil
				}
				s.at(time.Hour+5*time.Second, func() { s.update("p", "progress", to("Opportunity")) })
				s.at(90*time.Minute, func() {
					s.wantDone("p")
					if got := s.attention(); len(got) > 0 {
						t.Errorf("attention: %q", got)
					}
				})
				s.winAt(2 * time.Hour)
				s.run(start, nil)
				s.wantLog("create", "progress Opportunity", "progress Won")
			})
		}
	}
}
