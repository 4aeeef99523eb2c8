package entity_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

var (
	open = opportunity.Step{ID: stepTwo, Name: "Opportunity", Stage: opportunity.Stage{ID: id("OpportunityStage", 4), Name: "Opportunity", State: opportunity.Open}}
	lost = opportunity.Step{ID: id(opportunity.TypeStep, 6), Name: "Lost", Stage: opportunity.Stage{ID: id("OpportunityStage", 6), Name: "Lost", State: opportunity.Lost}}
)

// withTransitionRules returns an opportunity in the step Proposed, with a playbook that has rules for
// transitions.
func withTransitionRules(t reporter) *entity.State {
	t.Helper()
	s := openedState(t)
	s.SetPlaybook(&exchange.PlaybookFeatures{Digest: "d", Transitions: true}, noon)
	return s
}

// findIn executes a read that finds the record in the step.
func findIn(s *entity.State, step opportunity.Step, now time.Time) {
	found := recordNow()
	found.Step = step
	if s.ShowsManualTransition(step) {
		s.AddManualTransition(step, now)
	}
	s.ApplyRefresh(found, now)
}

// send executes the operator command at the given time.
func send(s *entity.State, command opportunity.OperatorCommand, now time.Time) {
	if _, err := s.Execute(command, "", now); err != nil {
		panic(err)
	}
}

// setNoticeWithin stores the playbook features of a worker that has the given value of
// NoticeWithin.
func setNoticeWithin(s *entity.State, within time.Duration) {
	rules := s.Playbook
	rules.NoticeWithin = within
	s.SetPlaybook(&rules, noon)
}

// manualText returns the transition by hand whose effects are not planned yet.
func manualText(s *entity.State) string {
	m := s.ManualTransition
	if m == nil {
		return "none"
	}
	return strings.TrimSpace(fmt.Sprintf("%s to %s %s", m.From.Name, m.To.Name, map[bool]string{true: "late"}[m.Late]))
}

func TestManualTransition(t *testing.T) {
	t.Parallel()
	soon, inTime, late := noon.Add(time.Hour), noon.Add(48*time.Hour), noon.Add(48*time.Hour+time.Second)
	inDoubt := func(s *entity.State) {
		accept(t, s, opportunity.Progress{To: "Won"}, "won")
		s.Queue[0].InDoubt = true
	}
	for name, c := range map[string]struct {
		do   func(s *entity.State)
		want string
	}{
		"the same step":       {func(s *entity.State) { findIn(s, proposed, soon) }, "none"},
		"another step":        {func(s *entity.State) { findIn(s, won, soon) }, "Proposed to Won"},
		"noticed in time":     {func(s *entity.State) { findIn(s, won, inTime) }, "Proposed to Won"},
		"noticed late":        {func(s *entity.State) { findIn(s, won, late) }, "Proposed to Won late"},
		"a read in between":   {func(s *entity.State) { findIn(s, proposed, inTime); findIn(s, won, late) }, "Proposed to Won"},
		"the read is unknown": {func(s *entity.State) { s.StepSeenAt = time.Time{}; findIn(s, won, soon) }, "Proposed to Won late"},
		"seen by the sender of a refresh": {func(s *entity.State) {
			send(s, opportunity.Refresh{StepSeenAt: soon}, inTime)
			findIn(s, won, late)
		}, "Proposed to Won"},
		"seen by the sender before the run": {func(s *entity.State) {
			send(s, opportunity.Refresh{StepSeenAt: noon.Add(-time.Hour)}, soon)
			findIn(s, won, inTime)
		}, "Proposed to Won"},
		"seen by the sender in the future": {func(s *entity.State) {
			send(s, opportunity.Refresh{StepSeenAt: inTime}, soon)
			findIn(s, won, late)
		}, "Proposed to Won late"},
		"late for a short scan": {func(s *entity.State) {
			setNoticeWithin(s, 2*time.Hour)
			findIn(s, won, noon.Add(2*time.Hour+time.Second))
		}, "Proposed to Won late"},
		"in time for a long scan": {func(s *entity.State) {
			setNoticeWithin(s, 96*time.Hour)
			findIn(s, won, late)
		}, "Proposed to Won"},
		"a second transition": {func(s *entity.State) { findIn(s, open, soon); findIn(s, lost, late) }, "Proposed to Lost"},
		"back":                {func(s *entity.State) { findIn(s, open, soon); findIn(s, proposed, soon) }, "none"},
		"back, and again":     {func(s *entity.State) { findIn(s, open, soon); findIn(s, proposed, soon); findIn(s, won, soon) }, "Proposed to Won"},
		"no rules":            {func(s *entity.State) { s.Playbook.Transitions = false; findIn(s, won, soon) }, "none"},
		"no known step":       {func(s *entity.State) { s.Step = opportunity.Step{}; findIn(s, won, soon) }, "none"},
		"no step on the read": {func(s *entity.State) { findIn(s, opportunity.Step{}, soon) }, "none"},
		"a progress in doubt": {func(s *entity.State) { inDoubt(s); findIn(s, won, soon) }, "none"},
		"in doubt by its id": {func(s *entity.State) {
			inDoubt(s)
			s.Queue = nil
			accept(t, s, opportunity.Progress{To: string(won.ID)}, "id")
			s.Queue[0].InDoubt = true
			findIn(s, won, soon)
		}, "none"},
		"a parked progress": {func(s *entity.State) {
			inDoubt(s)
			s.Queue[0].InDoubt = false
			s.Parked, s.Queue = s.Queue, nil
			findIn(s, won, soon)
		}, "none"},
		"doubt of another":    {func(s *entity.State) { inDoubt(s); findIn(s, open, soon) }, "Proposed to Opportunity"},
		"a progress not sent": {func(s *entity.State) { accept(t, s, opportunity.Progress{To: "Won"}, "won"); findIn(s, won, soon) }, "Proposed to Won"},
		"a reset": {func(s *entity.State) {
			found := recordNow()
			found.Step = won
			s.ApplyReadBackAfterReset(s.Backlog(), nil, found, always, soon)
		}, "none"},
		"the step after reset": {func(s *entity.State) {
			found := recordNow()
			found.Step = open
			s.ApplyReadBackAfterReset(s.Backlog(), nil, found, always, soon)
			findIn(s, won, soon)
		}, "Opportunity to Won"},
		"a confirmed progress": {func(s *entity.State) {
			inDoubt(s)
			if err := execute(s, opportunity.Confirm{Request: "won"}); err != nil {
				t.Fatal(err)
			}
			findIn(s, won, soon)
		}, "none"},
		"a skipped progress": {func(s *entity.State) {
			inDoubt(s)
			if err := execute(s, opportunity.Skip{Request: "won", Reason: "never mind"}); err != nil {
				t.Fatal(err)
			}
			findIn(s, won, soon)
		}, "none"},
		"after a confirmed progress": {func(s *entity.State) {
			inDoubt(s)
			if err := execute(s, opportunity.Confirm{Request: "won"}); err != nil {
				t.Fatal(err)
			}
			findIn(s, open, soon)
			findIn(s, won, soon)
		}, "Opportunity to Won"},
		"a progress without its step": {func(s *entity.State) {
			s.Playbook.Transitions = false // nothing to plan
			accept(t, s, opportunity.Progress{To: "Opportunity"}, "p")
			sendBatch(t, s, exchange.ChangeResult{Status: exchange.StatusDone})
			s.Playbook.Transitions = true
			findIn(s, open, soon)
		}, "none"},
		"a progress that was made": {func(s *entity.State) {
			s.Playbook.Transitions = false
			accept(t, s, opportunity.Progress{To: "Opportunity"}, "p")
			sendBatch(t, s, exchange.ChangeResult{Status: exchange.StatusDone, Step: &open})
			s.Playbook.Transitions = true
			findIn(s, open, soon)
			findIn(s, won, soon)
		}, "Opportunity to Won"},
		"back by a progress": {func(s *entity.State) {
			findIn(s, open, soon)
			s.Playbook.Transitions = false
			accept(t, s, opportunity.Progress{To: "Proposed"}, "p")
			sendBatch(t, s, exchange.ChangeResult{Status: exchange.StatusDone, Step: &proposed})
		}, "none"},
	} {
		t.Run(name, func(t *testing.T) {
			s := withTransitionRules(t)
			c.do(s)
			if got := manualText(s); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// An opportunity in a final step is not over before the effects of its transition by hand are planned
// and done.
func TestManualTransitionKeepsTheRunOpen(t *testing.T) {
	t.Parallel()
	s := withTransitionRules(t)
	findIn(s, won, noon.Add(time.Minute))
	if s.IsOver() || !s.HasBackgroundWork(noon) {
		t.Error("the opportunity is over before its effects are planned")
	}
	if diff := cmp.Diff(exchange.PlanCause{Kind: exchange.CauseTransition, From: proposed, To: won}, s.Next(noon, entity.Conditions{}).(entity.PlanManualTransition).Cause); diff != "" {
		t.Error(diff)
	}
	s.ApplyManualTransitionPlan(exchange.Plan{Digest: "d", Version: 4, After: []exchange.Effect{{Key: "win/after/1/register", Kind: opportunity.EffectRegister}}}, noon)
	if s.IsOver() || s.PlannedByVersion != 4 {
		t.Error("the opportunity is over before its effects are done")
	}
	due, is := s.DueEffect(noon)
	if !is || due.Effect.Key != "1/win/after/1/register" {
		t.Fatalf("due is %+v", due)
	}
	s.ApplyInspection(due.Effect.Key, entity.Inspection{}, noon)
	if !s.IsOver() {
		t.Errorf("the opportunity is not over: %+v", s.View())
	}
	want := []string{"the transition from Proposed to Won was made by hand in the TMS", "the record was found in step Won", "the effects of the transition by hand to Won are planned; number of effects: 1", "effect unchanged: register (1/win/after/1/register)"}
	var got []string
	for _, line := range s.Timeline[len(s.Timeline)-4:] {
		got = append(got, line.Text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Commands have priority over the planning of a transition by hand, except a later transition,
// whose effects come after the effects of the transition by hand.
func TestNextWithAManualTransition(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		have func(*entity.State)
		want entity.Task
	}{
		"nothing else": {func(*entity.State) {}, entity.PlanManualTransition{Cause: exchange.PlanCause{Kind: exchange.CauseTransition, From: proposed, To: open}}},
		"a command":    {func(s *entity.State) { accept(t, s, opportunity.UpdateDetails{Name: "First"}, "first") }, entity.SendCommands{}},
		"a progress":   {func(s *entity.State) { accept(t, s, opportunity.Progress{To: "Won"}, "won") }, entity.PlanManualTransition{Cause: exchange.PlanCause{Kind: exchange.CauseTransition, From: proposed, To: open}, BeforeCommand: true}},
		"a pause":      {func(s *entity.State) { s.Paused = &opportunity.PauseInfo{} }, entity.WaitForWork{}},
		"a question":   {func(s *entity.State) { s.Question = &opportunity.Question{} }, entity.WaitForWork{}},
	} {
		s := withTransitionRules(t)
		findIn(s, open, noon)
		c.have(s)
		if diff := cmp.Diff(c.want, s.Next(noon.Add(time.Second), entity.Conditions{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// When a transition by hand was noticed late, mails and calls wait for an operator, and all other
// effects begin. The effects before the transition are not started.
func TestLateManualTransition(t *testing.T) {
	t.Parallel()
	plan := exchange.Plan{Digest: "d", Before: []exchange.Effect{{Key: "win/before/1/account", Kind: opportunity.EffectAccount}}}
	for i, kind := range []opportunity.EffectKind{opportunity.EffectEmail, opportunity.EffectContacts, opportunity.EffectCall, opportunity.EffectRegister, opportunity.EffectLog} {
		plan.After = append(plan.After, exchange.Effect{Key: fmt.Sprintf("win/after/%d/%s", i+1, kind), Kind: kind})
	}
	for name, c := range map[string]struct {
		noticed time.Duration
		reset   bool
		due     []string
		blocked []string
	}{
		"in time":             {noticed: time.Hour, due: []string{"1/win/after/1/email", "1/win/after/2/contacts", "1/win/after/3/call", "1/win/after/4/register", "1/win/after/5/log"}},
		"late":                {noticed: 72 * time.Hour, due: []string{"1/win/after/2/contacts", "1/win/after/4/register", "1/win/after/5/log"}, blocked: []string{"2/win/after/1/email", "3/win/after/3/call"}},
		"in time, then reset": {noticed: time.Hour, reset: true, blocked: []string{"1/win/after/1/email", "1/win/after/5/log"}},
	} {
		t.Run(name, func(t *testing.T) {
			now := noon.Add(c.noticed)
			s := withTransitionRules(t)
			findIn(s, won, now)
			if c.reset {
				s.ApplyReset(now)
			}
			s.ApplyManualTransitionPlan(plan, now)
			var blocked []string
			for _, j := range s.ActiveEffects {
				if j.Problem != "" {
					blocked = append(blocked, j.Effect.Key)
				}
			}
			if diff := cmp.Diff(c.blocked, blocked); diff != "" {
				t.Errorf("waiting for an operator: %s", diff)
			}
			var due []string
			for {
				next, is := s.DueEffect(now)
				if !is {
					break
				}
				due = append(due, next.Effect.Key)
				s.ApplyInspection(next.Effect.Key, entity.Inspection{}, now)
			}
			if diff := cmp.Diff(c.due, due); diff != "" {
				t.Errorf("done: %s", diff)
			}
			if name != "late" {
				return
			}
			want := "effect email (2/win/after/1/email): the transition to Won was made by hand and noticed late. Answer retry (Oppflow sends the mail), confirm (the mail was sent) or skip (Oppflow drops the mail)"
			if len(s.Attention) != 2 || s.Attention[0].Kind != opportunity.AttentionEffect || s.Attention[0].Reason != want {
				t.Errorf("attention %+v, want %q", s.Attention, want)
			}
			if err := execute(s, opportunity.Retry{Request: "2/win/after/1/email"}); err != nil {
				t.Fatal(err)
			}
			if err := execute(s, opportunity.Skip{Request: "3/win/after/3/call", Reason: "too late"}); err != nil {
				t.Fatal(err)
			}
			next, is := s.DueEffect(now)
			if !is || next.Effect.Key != "2/win/after/1/email" || len(s.ActiveEffects) != 1 || len(s.Attention) > 0 {
				t.Errorf("after the answers %+v is due; attention %+v", next, s.Attention)
			}
		})
	}
}

// If a run ends before the effects of a transition by hand are planned, the timeline says so.
func TestManualTransitionOfARunThatEnds(t *testing.T) {
	t.Parallel()
	s := withTransitionRules(t)
	findIn(s, open, noon)
	s.FailAll(opportunity.Failf(opportunity.Closed, "closed"), noon)
	if last := s.Timeline[len(s.Timeline)-1].Text; s.ManualTransition != nil || last != "the effects of the transition by hand to Opportunity were not planned, because the run of the opportunity has ended" {
		t.Errorf("timeline: %s", last)
	}
}
