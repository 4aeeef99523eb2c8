package workflows_test

import (
	"slices"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// keepOpenFixture is a fixture with a playbook that keeps ended opportunities open.
type keepOpenFixture struct {
	*fixture
	playbook *fakePlaybook
	// timers are the lengths of the timers that the run starts while watching is true. activities
	// counts the activities that start while watching is true.
	timers     []time.Duration
	activities int
	watching   bool
	endedAfter time.Duration
}

func newKeepOpenFixture(t *testing.T, keepOpen exchange.KeepOpen) *keepOpenFixture {
	t.Helper()
	h := &keepOpenFixture{fixture: newFixture(t)}
	h.playbook = &fakePlaybook{features: activities.PlaybookFeatures{Digest: "d", Transitions: true, KeepOpen: keepOpen}}
	h.tms.playbook = h.playbook
	h.env.SetOnTimerScheduledListener(func(_ string, length time.Duration) {
		if h.watching && length > opportunity.MaxUpdateWait { // a shorter timer is the wait of an update
			h.timers = append(h.timers, length)
		}
	})
	h.failsAttempt = func(activity.Info) error {
		if h.watching {
			h.activities++
		}
		return nil
	}
	return h
}

// watch counts timers and activities from the given time on.
func (h *keepOpenFixture) watch(from time.Duration) { h.at(from, func() { h.watching = true }) }

// runWon progresses the opportunity to Won in the first hour, and waits for the end of the run.
func (h *keepOpenFixture) runWon() opportunity.RunResult {
	h.t.Helper()
	h.at(time.Minute, func() { h.update("p", "progress", to("Opportunity")) })
	h.at(time.Hour, func() { h.update("w", "progress", to("Won")) })
	begun := h.env.Now()
	h.run(start, nil)
	h.endedAfter = h.env.Now().Sub(begun)
	h.wantDone("p", "w")
	return h.ended()
}

func (h *keepOpenFixture) wantEndAfter(want time.Duration) {
	h.t.Helper()
	if difference := h.endedAfter - want; difference < 0 || difference > time.Minute {
		h.t.Errorf("the run ended after %v; want %v", h.endedAfter, want)
	}
}

func TestAnEndedOpportunityStaysOpenWithOneTimer(t *testing.T) {
	for name, features := range map[string]activities.PlaybookFeatures{
		"transitions":            {Digest: "d", Transitions: true},
		"keepOpen alone":         {Digest: "d"},
		"reactions and a plan":   {Digest: "d", Transitions: true, Reactions: true, FollowUps: true, FollowUpSteps: "state Open", QuietTime: 30 * time.Second},
		"without the quiet time": {Digest: "d", Transitions: true, Reactions: true, FollowUps: true, FollowUpSteps: "state Open"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newKeepOpenFixture(t, exchange.KeepOpen{})
			features.KeepOpen = exchange.KeepOpen{Won: 30 * day}
			h.playbook.features = features
			h.at(30*time.Second, func() { h.env.SignalWorkflow("addInterests", reserved(2)) })
			h.at(40*time.Second, func() { // the reservation expires while the run is open
				h.update("x", "extendReservations", opportunity.ExtendReservations{Until: time.Date(2026, 12, 10, 9, 0, 0, 0, time.UTC)})
			})
			h.watch(59 * time.Minute)
			requests, upserts := 0, 0
			h.at(59*time.Minute, func() { upserts = h.upserts })
			h.at(61*time.Minute, func() {
				requests = h.activities
				if h.upserts != upserts+1 {
					t.Errorf("the search attributes were set %d times; want once", h.upserts-upserts)
				}
				view := h.view()
				if until := h.env.Now().Add(30*day - time.Minute); view.OpenUntil.Sub(until).Abs() > time.Minute || view.Step.Name != "Won" {
					t.Errorf("the view says open until %s in step %s; want %s and Won", view.OpenUntil, view.Step.Name, until)
				}
				if state, _ := h.searchAttributes.GetKeyword(lifecycle.OpportunityState); state != "Won" {
					t.Errorf("the search attribute says %s", state)
				}
				if next, _ := h.searchAttributes.GetTime(lifecycle.OpportunityNextActionTime); !next.Equal(view.OpenUntil) {
					t.Errorf("the next action is at %s; want %s", next, view.OpenUntil)
				}
			})
			// Even when the run wakes after the expiry of the reservation, the run does not read the record.
			h.at(20*day, func() { h.env.SignalWorkflow("pause", opportunity.Pause{Reason: "holidays"}) })
			h.at(21*day, func() { h.env.SignalWorkflow("resume", opportunity.Resume{}) })
			if got := h.runWon(); got.State != opportunity.Won {
				t.Errorf("ended as %+v", got)
			}
			h.wantEndAfter(time.Hour + 30*day)
			if h.activities != requests {
				t.Errorf("%d activities; want the %d activities before the end of the opportunity", h.activities, requests)
			}
			if len(h.timers) != 1 || h.timers[0] < 29*day {
				t.Errorf("timers %v; want one for 30 days", h.timers)
			}
		})
	}
}

func TestWithoutKeepOpenTheRunEndsAtOnce(t *testing.T) {
	for name, keepOpen := range map[string]exchange.KeepOpen{"": {}, "of another state": {Lost: 30 * day, Archived: day}} {
		t.Run(name, func(t *testing.T) {
			h := newKeepOpenFixture(t, keepOpen)
			h.watch(time.Hour)
			h.runWon()
			h.wantEndAfter(time.Hour)
			if len(h.timers) != 0 {
				t.Errorf("timers %v; want none", h.timers)
			}
		})
	}
}

func TestAMessageToAnEndedOpportunity(t *testing.T) {
	h := newKeepOpenFixture(t, exchange.KeepOpen{Won: 30 * day, Lost: 5 * day})
	h.playbook.resources = map[string]*fakeResource{"notice": {required: 1}, "mail": {required: 1}}
	h.playbook.plan = func(in activities.PlanInput) exchange.Plan {
		if in.TargetStep != "Lost" {
			return exchange.Plan{}
		}
		return exchange.Plan{Before: effectsNamed("notice"), After: effectsNamed("mail")}
	}
	h.at(time.Minute, func() { h.env.SignalWorkflow("addInterests", reserved(2)) })
	h.watch(9 * day)
	h.at(9*day, func() { h.update("u", "updateDetails", opportunity.UpdateDetails{Name: "Second Aid"}) })
	h.at(9*day+time.Hour, func() {
		h.update("nowhere", "progress", to("Archived"))
		if len(h.timers) > 0 {
			t.Errorf("a message set the timers %v", h.timers)
		}
	})
	h.at(10*day, func() { h.update("l", "progress", to("Lost")) })
	h.at(10*day+time.Hour, func() {
		view := h.view()
		if until := h.env.Now().Add(5*day - time.Hour); view.OpenUntil.Sub(until).Abs() > time.Minute {
			t.Errorf("open until %s; want %s", view.OpenUntil, until)
		}
	})
	ended := h.runWon()
	h.wantDone("u", "l")
	if got := h.results["nowhere"]; got.outcome.State != opportunity.Failed || got.outcome.Error.Type != opportunity.TransitionNotFound {
		t.Errorf("a transition that the TMS refuses: %+v", got)
	}
	if ended.State != opportunity.Lost {
		t.Errorf("ended as %+v", ended)
	}
	h.wantLog("create", "interest 2", "extend", "progress Opportunity", "progress Won", "update Second Aid", "do notice", "progress Lost", "release", "do mail")
	h.wantEndAfter(15 * day)
}

func TestAnEndedOpportunityGoesOnInAnOpenStep(t *testing.T) {
	h := newKeepOpenFixture(t, exchange.KeepOpen{Won: 30 * day, Lost: 30 * day})
	h.at(2*day, func() { h.update("l", "progress", to("Lost")) })
	h.at(3*day, func() { h.update("o", "progress", to("Reopened")) })
	h.at(100*day, func() {
		if view := h.view(); view.Step.Name != "Reopened" || !view.OpenUntil.IsZero() {
			t.Errorf("view: %+v", view)
		}
		if next, is := h.searchAttributes.GetTime(lifecycle.OpportunityNextActionTime); is {
			t.Errorf("the next action is at %s; want none", next)
		}
		h.update("a", "progress", to("Archived"))
	})
	h.runWon()
	h.wantDone("l", "o", "a")
	h.wantEndAfter(100 * day)
}

func TestCloseEndsAnEndedOpportunityAtOnce(t *testing.T) {
	h := newKeepOpenFixture(t, exchange.KeepOpen{Won: 30 * day})
	h.at(2*day, func() { h.env.SignalWorkflow("close", opportunity.Close{Reason: "no more"}) })
	if got := h.runWon(); got.CloseReason != "no more" || got.State != opportunity.Won {
		t.Errorf("ended as %+v", got)
	}
	h.wantEndAfter(2 * day)
	next, is := h.searchAttributes.GetTime(lifecycle.OpportunityNextActionTime)
	if view := h.view(); !view.OpenUntil.IsZero() || is {
		t.Errorf("the closed opportunity is open until %s, and its next action is at %s", view.OpenUntil, next)
	}
}

func TestAPauseHoldsTheEndOfAnEndedOpportunity(t *testing.T) {
	h := newKeepOpenFixture(t, exchange.KeepOpen{Won: 30 * day})
	h.at(2*day, func() { h.env.SignalWorkflow("pause", opportunity.Pause{Reason: "holidays"}) })
	h.at(40*day, func() { h.env.SignalWorkflow("resume", opportunity.Resume{}) })
	h.runWon()
	h.wantEndAfter(40 * day)
}

func TestContinueAsNewKeepsTheTimeOfAnEndedOpportunity(t *testing.T) {
	h := newKeepOpenFixture(t, exchange.KeepOpen{Won: 30 * day})
	h.at(time.Minute, func() { h.update("p", "progress", to("Opportunity")) })
	h.at(time.Hour, func() { h.update("w", "progress", to("Won")) })
	h.at(10*day, func() {
		h.env.SetContinueAsNewSuggested(true)
		h.env.SignalWorkflow("updateDetails", opportunity.UpdateDetails{Name: "Second Aid"})
	})
	h.run(start, nil)
	state := h.continued()
	next := newKeepOpenFixture(t, exchange.KeepOpen{Won: 30 * day})
	next.env.SetStartTime(h.env.Now())
	next.tms.exists, next.tms.step = true, steps[2]
	next.watching = true
	next.run(nil, state)
	if took := next.env.Now().Sub(h.env.Now()); took < 20*day || took > 20*day+2*time.Hour {
		t.Errorf("the next run ended after %v; want 20 days", took)
	}
	if next.activities != 0 || len(next.timers) != 1 {
		t.Errorf("%d activities and the timers %v; want none and one timer", next.activities, next.timers)
	}
}

// Places that are held for people without names keep the run of a won opportunity open.
func TestUnnamedPlacesKeepAnOpportunityOpen(t *testing.T) {
	expiry := time.Date(2026, 12, 20, 9, 0, 0, 0, time.UTC)
	begun := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	withLearners := func(n int) opportunity.AddInterests {
		order := reserved(2)
		order.Interests[0].Learners = slices.Repeat([]opportunity.Learner{{FirstName: "Ada", LastName: "Byrne", Email: "ada@byrne.example"}}, n)
		return order
	}
	for name, c := range map[string]struct {
		order    opportunity.AddInterests
		learners bool
		keepOpen exchange.KeepOpen
		during   func(h *keepOpenFixture)
		want     time.Duration
	}{
		"no names, until the expiry": {order: reserved(2), learners: true, want: expiry.Sub(begun)},
		"one name of two":            {order: withLearners(1), learners: true, want: expiry.Sub(begun)},
		"all named":                  {order: withLearners(2), learners: true, want: time.Hour},
		"no reservation":             {order: add(2), learners: true, want: time.Hour},
		"no rule about learners":     {order: reserved(2), want: time.Hour},
		"keepOpen is longer":         {order: reserved(2), learners: true, keepOpen: exchange.KeepOpen{Won: 90 * day}, want: time.Hour + 90*day},
		"keepOpen is shorter":        {order: reserved(2), learners: true, keepOpen: exchange.KeepOpen{Won: day}, want: expiry.Sub(begun)},
		"released in the TMS": {order: reserved(2), learners: true, want: 3 * day, during: func(h *keepOpenFixture) {
			h.at(3*day, func() {
				h.tms.reservation = opportunity.Reservation{}
				h.env.SignalWorkflow("refresh", opportunity.Refresh{})
			})
		}},
		"extended": {order: reserved(2), learners: true, want: expiry.Sub(begun) + 5*day, during: func(h *keepOpenFixture) {
			h.at(3*day, func() {
				h.update("e", "extendReservations", opportunity.ExtendReservations{Until: expiry.Add(5 * day)})
			})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newKeepOpenFixture(t, c.keepOpen)
			h.playbook.features.Learners = c.learners
			h.at(30*time.Second, func() { h.env.SignalWorkflow("addInterests", c.order) })
			h.at(40*time.Second, func() { h.update("x", "extendReservations", opportunity.ExtendReservations{Until: expiry}) })
			if c.during != nil {
				c.during(h)
			}
			h.runWon()
			h.wantEndAfter(c.want)
		})
	}
}

// A start with the same reference adopts the record of an ended opportunity. The new run continues
// at the step of the record, and does not do the effects of the last transition again.
func TestAnEndedOpportunityIsAdoptedAgain(t *testing.T) {
	h := newKeepOpenFixture(t, exchange.KeepOpen{Won: 30 * day})
	h.playbook.resources = map[string]*fakeResource{"mail": {required: 1}}
	h.playbook.plan = func(activities.PlanInput) exchange.Plan { return exchange.Plan{After: effectsNamed("mail")} }
	createRecord(h.fixture)
	h.tms.step, h.tms.owner = steps[2], "A-1"
	begun := h.env.Now()
	h.at(time.Hour, func() {
		if view := h.view(); view.Step.Name != "Won" || len(view.Interests) != 3 || len(view.EffectResults) != 0 || view.OpenUntil.IsZero() {
			t.Errorf("view %+v", view)
		}
		h.wantLog()
		h.update("l", "progress", to("Lost"))
	})
	h.run(adoptStart, nil)
	h.wantDone("l")
	h.wantLog("progress Lost", "do mail")
	if took := h.env.Now().Sub(begun); took > 2*time.Hour {
		t.Errorf("the run ended after %v; want the end after the transition to Lost", took)
	}
}
