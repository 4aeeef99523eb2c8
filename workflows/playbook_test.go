package workflows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// A refresh wakes a waiting opportunity. When a newer playbook is in force, the opportunity
// continues as a new run, and the new run plans with the newer playbook.
func TestANewerPlaybookRenewsTheRun(t *testing.T) {
	s := newFixture(t)
	b := withTransitionEffects(s, []string{"a"}, nil)
	s.at(time.Hour, func() {
		b.features.Digest = "two"
		s.env.SignalWorkflow("refresh", opportunity.Refresh{})
	})
	s.run(start, nil)
	state := s.continued()
	if state.Playbook.Digest != "two" || state.PlaybookChanged {
		t.Errorf("carried on: %+v, renewed %v", state.Playbook, state.PlaybookChanged)
	}
	next := newFixtureOver(t, s.tms)
	next.tms.playbook = b
	next.at(time.Second, func() { next.env.SignalWorkflow("progress", to("Opportunity")) })
	next.at(time.Minute, func() { next.env.SignalWorkflow("progress", to("Won")) })
	next.run(nil, state)
	next.wantLog("create", "do a", "progress Opportunity", "progress Won")
}

func TestANewerPlaybookWaitsForWhatIsUnderWay(t *testing.T) {
	s := newFixture(t)
	b := withTransitionEffects(s, []string{"a"}, []string{"b"})
	b.resources["a"].required, b.resources["b"].required = 3, 3
	s.at(time.Second, func() { s.env.SignalWorkflow("progress", to("Opportunity")) })
	b.resources["a"].inspect = func(activities.EffectInput) *activities.InspectResult {
		b.features.Digest = "two" // a worker is replaced in the meantime
		return nil
	}
	s.run(start, nil)
	s.wantLog("create", "do a", "do a", "do a", "progress Opportunity", "do b", "do b", "do b")
	if state := s.continued(); state.Playbook.Digest != "two" || len(state.ActiveEffects) > 0 {
		t.Errorf("carried on: %+v, %d effects under way", state.Playbook, len(state.ActiveEffects))
	}
}

func TestWithoutAPlaybookNothingIsPlanned(t *testing.T) {
	s := newFixture(t)
	s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", reserved(1)) })
	s.winAt(time.Minute)
	s.run(start, nil)
	for _, call := range s.tms.calls {
		if call == activities.PlanOpportunity || call == activities.InspectEffect {
			t.Errorf("called: %v", s.tms.calls)
		}
	}
}

// An external change that occurs while the API is unreachable is reported later, and only once.
func TestExternalChangesAreNotForgotten(t *testing.T) {
	s := newFixture(t)
	b := withTransitionEffects(s, nil, nil)
	b.features.Reactions = true
	b.resources["mail"] = &fakeResource{}
	b.plan = func(in activities.PlanInput) exchange.Plan {
		if in.PlanFor.Kind != exchange.CauseEventCancelled {
			return exchange.Plan{}
		}
		return exchange.Plan{After: effectsNamed("mail")}
	}
	s.at(time.Hour, func() {
		b.events, b.failsFor = []activities.EventChange{{Event: "e", Cancelled: true}}, exchange.CauseEventCancelled
		s.env.SignalWorkflow("refresh", opportunity.Refresh{})
	})
	s.at(4*time.Hour, func() { s.wantLog("create"); b.failsFor = "" })
	s.at(4*time.Hour+2*time.Minute, func() { s.wantLog("create", "do mail") })
	s.at(5*time.Hour, func() { s.wantLog("create", "do mail"); s.env.SignalWorkflow("refresh", opportunity.Refresh{}) })
	s.winAt(6 * time.Hour)
	s.run(start, nil)
	s.wantLog("create", "do mail", "progress Opportunity", "progress Won")
}

// The run does no follow-up for a record that no longer exists, and raises attention.
func TestARecordThatIsGoneIsNotFollowedUp(t *testing.T) {
	s := newFixture(t)
	b := withTransitionEffects(s, nil, nil)
	b.features.FollowUps = true
	b.resources["mail"] = &fakeResource{}
	b.plan = func(in activities.PlanInput) exchange.Plan {
		due := in.Entered.Add(24 * time.Hour)
		return exchange.Plan{FollowUps: []exchange.FollowUp{{
			Key: "remind/mail", Name: "remind", Due: due, Number: 1, Of: 1,
			Action: exchange.Action{Kind: opportunity.ActionLog, Settings: exchange.NewSettings(exchange.WriteLog{})},
		}}}
	}
	s.at(time.Hour, func() { s.tms.exists = false })
	s.at(48*time.Hour, func() {
		s.wantLog("create")
		if got := s.attention(); len(got) != 1 || got[0] != "playbook" {
			t.Errorf("attention: %v", got)
		}
		s.update("c", "close", opportunity.Close{Reason: "gone"})
	})
	s.run(start, nil)
}

// In this test, the opportunity has not seen the playbook in force yet. The next transition of the
// opportunity still has the effects of the playbook in force.
func TestATransitionIsPlannedByThePlaybookInForce(t *testing.T) {
	for name, before := range map[string]activities.PlaybookFeatures{
		"no playbook before":        {},
		"one without moves before":  {Version: 1, Digest: "none", FollowUps: true},
		"a worker that has no book": {Digest: "none"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			b := withTransitionEffects(s, []string{"a"}, []string{"b"})
			after := b.features
			after.Version = 2
			b.features = before
			s.at(time.Hour, func() {
				b.features = after
				s.env.SignalWorkflow("addInterests", add(1))
				s.update("p", "progress", to("Opportunity"))
			})
			s.at(2*time.Hour, func() { s.update("c", "close", opportunity.Close{Reason: "seen"}) })
			s.run(start, nil)
			s.wantDone("p")
			s.wantLog("create", "interest 1", "do a", "progress Opportunity", "do b")
		})
	}
}

// The run discards a plan of a lower version of the playbook, and requests the plan again. After
// several discarded plans, the run raises attention. The run also ignores playbook features of a
// lower version.
func TestNoPlanOfALowerVersionIsTaken(t *testing.T) {
	s := newFixture(t)
	b := withTransitionEffects(s, nil, []string{"b"})
	b.features.Version = 3
	full := b.plan
	b.plan = func(in activities.PlanInput) exchange.Plan {
		if in.MinPlaybookVersion != 3 {
			t.Errorf("asked for version %d", in.MinPlaybookVersion)
		}
		plan := full(in)
		if b.features.Version < 3 {
			plan = exchange.Plan{} // without the effect
		}
		plan.Version = b.features.Version
		return plan
	}
	s.at(time.Minute, func() {
		b.features = activities.PlaybookFeatures{Version: 2}
		s.env.SignalWorkflow("updateDetails", opportunity.UpdateDetails{Name: "new"})
	})
	s.at(2*time.Minute, func() { s.env.SignalWorkflow("progress", to("Opportunity")) })
	s.at(4*time.Minute, func() {
		if v := s.view(); v.Wait == nil || v.Wait.Kind != opportunity.AttentionOperation || !strings.Contains(v.Wait.Reason, "version 2 of the playbook, but the opportunity has already used the later version 3") {
			t.Errorf("waits: %+v", v.Wait)
		}
		if got := s.attention(); !slices.Contains(got, string(opportunity.AttentionOperation)) {
			t.Errorf("attention: %v", got)
		}
		if b.plans > 10 {
			t.Errorf("%d plans within two minutes", b.plans)
		}
		b.features = activities.PlaybookFeatures{Version: 3, Digest: "one", Transitions: true}
	})
	s.at(20*time.Minute, func() {
		if v := s.view(); v.PlaybookVersion != 3 || v.Wait != nil {
			t.Errorf("planned by version %d, waits: %+v", v.PlaybookVersion, v.Wait)
		}
		if got := s.attention(); len(got) > 0 {
			t.Errorf("attention: %v", got)
		}
	})
	s.winAt(time.Hour)
	s.run(start, nil)
	s.wantLog("create", "update new", "progress Opportunity", "do b", "progress Won")
}
