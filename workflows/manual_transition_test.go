package workflows_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/mock"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// winPlaybook returns a playbook that registers the learners of a won opportunity and sends a mail.
func winPlaybook(member string) []byte {
	return []byte(`emails:
  won: { subject: "Thank you for {{.Name}}", body: "Dear {{.Contact}}, see you soon." }
transitions:
  - name: win
    from: { step: Proposed }
    to: { state: Won }
    ` + member + `
    before:
      - attributes: { set: { handled-by: Oppflow } }
    after:
      - email: { to: contact, use: won }
      - contacts: {}
      - register: {}
`)
}

// progressByHand moves the record through the steps, as a person does in the TMS.
func (h *tenantFixture) progressByHand(steps ...int) {
	h.t.Helper()
	for _, step := range steps {
		h.wantQuery(fmt.Sprintf(`mutation { opportunities { progress(input: {opportunityId: %q, stepId: %q}) { errors { message } } } }`, recordID, id("OpportunityStep", step)),
			"{opportunities:{progress:{errors:[]}}}")
	}
}

func wonQuery() string {
	return fmt.Sprintf(`{ event: node(id: %q) { ... on Event { reserved bookedPlaces } } opp: node(id: %q) { ... on Opportunity { step { name } isReservationValid attributes { definitionKey value } } } }`,
		id("Course", 1), recordID)
}

// A person wins an opportunity in the TMS. Oppflow notices the transition at the next read, does the
// effects after the transition, and then ends the run.
func TestEffectsOfAManualTransition(t *testing.T) {
	const registered = "{event:{bookedPlaces:2,reserved:0},opp:{attributes:[],isReservationValid:false,step:{name:Won}}}"
	for name, c := range map[string]struct {
		member  string
		noticed time.Duration // after the transition to Proposed
		seen    time.Duration // how long before the noticing read the scan saw the earlier step; 0 means never
		want    string
		mails   int
		asks    bool
	}{
		"noticed in time":          {member: "manualTransitions: ensure", noticed: 2 * time.Hour, want: registered, mails: 1},
		"noticed late":             {member: "when: value >= 1", noticed: 72 * time.Hour, want: registered, asks: true},
		"noticed by the scan":      {member: "manualTransitions: ensure", noticed: 72 * time.Hour, seen: 25 * time.Hour, want: registered, mails: 1},
		"noticed late by the scan": {member: "manualTransitions: ensure", noticed: 72 * time.Hour, seen: 49 * time.Hour, want: registered, asks: true},
		"left out":                 {member: "manualTransitions: skip", noticed: 2 * time.Hour, want: "{event:{bookedPlaces:0,reserved:2},opp:{attributes:[],isReservationValid:true,step:{name:Won}}}"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newTenantFixture(t, winPlaybook(c.member))
			h.at(time.Second, func() {
				h.setPeople()
				h.wantQuery(fmt.Sprintf(`mutation { opportunities { update(input: {id: %q, accountId: %q}) { errors { message } } } }`, recordID, id(opportunity.TypeAccount, 1)),
					"{opportunities:{update:{errors:[]}}}")
			})
			h.at(time.Minute, func() { h.update("i", "addInterests", reserveFor(1, "Ada", "Ben")) })
			h.at(time.Hour, func() { h.update("p", "progress", to("Proposed")) })
			h.at(time.Hour+c.noticed, func() {
				h.progressByHand(5)
				var refresh opportunity.Refresh
				if c.seen > 0 {
					refresh.StepSeenAt = h.env.Now().Add(-c.seen)
				}
				h.update("f", "refresh", refresh)
			})
			if c.asks {
				h.at(2*time.Hour+c.noticed, func() {
					h.wantQuery(wonQuery(), registered)
					view := h.view()
					if len(h.sentEmails()) > 0 || view.Step.Name != "Won" || len(view.Attention) != 1 || view.Attention[0].Kind != opportunity.AttentionEffect || !strings.Contains(view.Attention[0].Reason, "the transition to Won was made by hand and noticed late. Answer retry") {
						t.Fatalf("mails %v, step %s, attention %+v", h.sentEmails(), view.Step.Name, view.Attention)
					}
					h.update("r", "retry", opportunity.Retry{Request: view.RunningEffects[0].Key})
				})
			}
			h.run(opportunity.Start{Name: "First Aid", Region: "UK"}, nil)
			h.wantDone("i", "p", "f")
			h.wantQuery(wonQuery(), c.want)
			wantMails := c.mails
			if c.asks {
				h.wantDone("r")
				wantMails = 1
			}
			if got := h.sentEmails(); len(got) != wantMails {
				t.Errorf("mails %v, want %d", got, wantMails)
			}
			if ended := h.ended(); ended.State != opportunity.Won {
				t.Errorf("it ended as %+v", ended)
			}
		})
	}
}

// planInputs records the causes for which plans of transitions are requested.
func planInputs(b *fakePlaybook) *[]string {
	var causes []string
	inner := b.plan
	b.plan = func(in activities.PlanInput) exchange.Plan {
		if in.PlanFor.Kind == exchange.CauseTransition {
			causes = append(causes, fmt.Sprintf("%s to %s%s", in.PlanFor.From.Name, in.PlanFor.To.Name, in.TargetStep))
			if in.PlanFor.From.ID != "" {
				return exchange.Plan{Before: effectsNamed("before"), After: effectsNamed("byHand")}
			}
		}
		return inner(in)
	}
	b.resources["before"], b.resources["byHand"] = &fakeResource{required: 1}, &fakeResource{required: 1}
	return &causes
}

// moveByHand puts the record into the step, as a person does in the TMS.
func (s *fixture) moveByHand(step opportunity.Step) {
	s.tms.mu.Lock()
	defer s.tms.mu.Unlock()
	s.tms.step = step
}

// The run detects a transition by hand at any read of the record, and begins the effects of the
// transition once.
func TestEveryReadNoticesAManualTransition(t *testing.T) {
	for name, read := range map[string]func(s *fixture, b *fakePlaybook){
		"a refresh": func(s *fixture, _ *fakePlaybook) { s.env.SignalWorkflow("refresh", opportunity.Refresh{}) },
		"the plan of the follow-ups": func(s *fixture, _ *fakePlaybook) {
			s.env.SignalWorkflow("updateDetails", opportunity.UpdateDetails{Name: "new"})
		},
		"the plan of a transition": func(s *fixture, b *fakePlaybook) {
			b.features.FollowUps = false
			s.env.SignalWorkflow("progress", to("Won"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			b := withTransitionEffects(s, nil, nil)
			b.features.FollowUps = true
			causes := planInputs(b)
			s.at(time.Hour, func() { s.moveByHand(steps[1]); read(s, b) })
			s.at(2*time.Hour, func() {
				if view := s.view(); len(view.Attention) > 0 || len(*causes) == 0 {
					t.Errorf("plans %v, attention %+v", *causes, view.Attention)
				}
				s.env.SignalWorkflow("progress", to("Won"))
			})
			s.run(start, nil)
			if n := strings.Count(strings.Join(s.tms.log, ","), "do byHand"); n != 1 || slices.Contains(s.tms.log, "do before") {
				t.Errorf("what took effect: %v", s.tms.log)
			}
			byHand, later := slices.Index(*causes, "Proposed to Opportunity"), len(*causes)-1
			if byHand < 0 || byHand > later || (*causes)[later] != " to Won" {
				t.Errorf("plans %q; want the transition by hand before the transition of the command", *causes)
			}
		})
	}
}

// Several transitions by hand before the effects are planned count as one transition. The run
// executes commands before it plans these effects.
func TestManualTransitionsWhileTheAPIIsDown(t *testing.T) {
	for name, c := range map[string]struct {
		second opportunity.Step
		want   []string
		log    []string
	}{
		"a second one": {steps[2], []string{"Proposed to Won"}, []string{"create", "interest 1", "do byHand"}},
		"back":         {steps[0], nil, []string{"create", "interest 1", "progress Opportunity", "progress Won"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			b := withTransitionEffects(s, nil, nil)
			causes := planInputs(b)
			s.at(time.Hour, func() {
				s.moveByHand(steps[1])
				s.tms.down = temporal.NewApplicationError("out", "unreachable") // plans only
				s.env.SignalWorkflow("refresh", opportunity.Refresh{})
			})
			s.at(time.Hour+time.Minute, func() { s.update("i", "addInterests", add(1)) })
			s.at(2*time.Hour, func() {
				s.wantDone("i")
				s.wantLog("create", "interest 1")
				s.moveByHand(c.second)
				s.env.SignalWorkflow("refresh", opportunity.Refresh{})
			})
			s.at(3*time.Hour, func() {
				if view := s.view(); view.Step.Name != c.second.Name {
					t.Errorf("in step %s", view.Step.Name)
				}
				s.tms.down = nil
				s.env.SignalWorkflow("refresh", opportunity.Refresh{})
				if name == "back" {
					s.env.SignalWorkflow("progress", to("Opportunity"))
					s.env.SignalWorkflow("progress", to("Won"))
				}
			})
			s.run(start, nil)
			s.wantLog(c.log...)
			got := slices.DeleteFunc(*causes, func(cause string) bool { return strings.HasPrefix(cause, " to") })
			if diff := cmp.Diff(c.want, got, cmpEmpty); diff != "" {
				t.Errorf("plans: %s", diff)
			}
		})
	}
}

var cmpEmpty = cmp.Transformer("empty", func(list []string) string { return strings.Join(list, ", ") })

// A step that the first read after a reset or after a restore finds is no transition by hand.
func TestAResetNoticesNoManualTransition(t *testing.T) {
	for name, run := range map[string]string{"a reset": "the run after the reset", "a restore": activities.EpochRunID("restored", "the run")} {
		s := newFixture(t)
		s.knownRun, s.tms.run = "the run", "the run"
		causes := planInputs(withTransitionEffects(s, nil, nil))
		s.at(time.Hour, func() {
			s.moveByHand(steps[2])
			s.tms.run = run
			s.env.SignalWorkflow("refresh", opportunity.Refresh{})
		})
		s.run(start, nil)
		s.wantLog("create")
		if len(*causes) > 0 || s.ended().State != opportunity.Won {
			t.Errorf("%s: plans %v, ended as %+v", name, *causes, s.ended())
		}
	}
}

// The step in which a record is adopted is no transition by hand. When a person later moves the
// record to another step, this move is a transition by hand.
func TestManualTransitionOfAnAdoptedRecord(t *testing.T) {
	s := newFixture(t)
	createRecord(s)
	s.tms.step = steps[1]
	causes := planInputs(withTransitionEffects(s, nil, nil))
	s.at(time.Hour, func() { s.env.SignalWorkflow("refresh", opportunity.Refresh{}) })
	s.at(2*time.Hour, func() {
		if len(*causes) > 0 {
			t.Errorf("plans after the adoption: %v", *causes)
		}
		s.moveByHand(steps[2])
		s.env.SignalWorkflow("refresh", opportunity.Refresh{})
	})
	s.run(adoptStart, nil)
	if diff := cmp.Diff([]string{"Opportunity to Won"}, *causes); diff != "" {
		t.Errorf("plans: %s", diff)
	}
}

// A transition that the run's own request made is no transition by hand, even when the response is
// lost.
func TestAnOwnTransitionIsNoManualTransition(t *testing.T) {
	s := newFixture(t)
	b := withTransitionEffects(s, nil, []string{"after"})
	causes := planInputs(b)
	s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
		if n == 1 {
			return true, nil, temporal.NewTimeoutError(1, nil)
		}
		return true, nil, nil
	}
	s.at(time.Second, func() { s.update("p", "progress", to("Opportunity")) })
	s.at(10*time.Second, func() { s.env.SignalWorkflow("refresh", opportunity.Refresh{}) })
	s.at(time.Hour, func() { s.env.SignalWorkflow("refresh", opportunity.Refresh{}) })
	s.at(2*time.Hour, func() { s.update("w", "progress", to("Won")) })
	s.run(start, nil)
	s.wantDone("w")
	s.wantLog("create", "progress Opportunity", "do after", "progress Won")
	if diff := cmp.Diff([]string{" to Opportunity", " to Won"}, *causes); diff != "" {
		t.Errorf("plans: %s", diff)
	}
	want := []string{
		activities.CreateOpportunity, activities.PlanOpportunity, activities.ApplyCommands, activities.ReadOpportunity, activities.ReadOpportunity,
		activities.InspectEffect, activities.ExecuteEffect, activities.InspectEffect, activities.ReadOpportunity, activities.PlanOpportunity, activities.ApplyCommands,
	}
	if diff := cmp.Diff(want, slices.DeleteFunc(s.tms.calls, func(call string) bool { return call == activities.ResolveNames })); diff != "" {
		t.Errorf("calls: %s", diff)
	}
}

// An operator may close an opportunity before the effects of a transition by hand are planned.
func TestCloseBeforeTheEffectsOfAManualTransition(t *testing.T) {
	s := newFixture(t)
	b := withTransitionEffects(s, nil, nil)
	planInputs(b)
	b.failsFor = exchange.CauseTransition
	s.at(time.Hour, func() { s.moveByHand(steps[2]); s.env.SignalWorkflow("refresh", opportunity.Refresh{}) })
	s.at(2*time.Hour, func() {
		if view := s.view(); view.Wait == nil || len(view.Attention) != 1 {
			t.Errorf("waits for %+v, attention %+v", view.Wait, view.Attention)
		}
		s.update("c", "close", opportunity.Close{Reason: "over"})
	})
	s.run(start, nil)
	s.wantLog("create")
}

// A run that began with an earlier version of the code does nothing after a transition by hand, so
// that the history of the run replays.
func TestARunOfAnEarlierVersionIgnoresManualTransitions(t *testing.T) {
	s := newFixture(t)
	s.env.OnGetVersion("do the effects of transitions by hand", workflow.DefaultVersion, workflow.Version(1)).Return(workflow.DefaultVersion)
	s.env.OnGetVersion(mock.Anything, workflow.DefaultVersion, workflow.Version(1)).Return(workflow.Version(1))
	causes := planInputs(withTransitionEffects(s, nil, nil))
	s.at(time.Hour, func() { s.moveByHand(steps[2]); s.env.SignalWorkflow("refresh", opportunity.Refresh{}) })
	s.run(start, nil)
	if want := []string{activities.CreateOpportunity, activities.ReadOpportunity}; !slices.Equal(s.tms.calls, want) || len(*causes) > 0 {
		t.Errorf("calls: got %v, want %v", s.tms.calls, want)
	}
}
