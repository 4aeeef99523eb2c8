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

// A command does not wait for an effect after a transition, even while the first inspection of the
// effect receives no response.
func TestCommandsGoBeforeTheEffectsOfATransition(t *testing.T) {
	for name, when := range map[string]time.Duration{
		"it waits with the transition":      time.Second,
		"it comes while the effect is read": 3 * time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			withTransitionEffects(s, nil, []string{"invoice"})
			s.failsAttempt = func(info activity.Info) error {
				if info.ActivityType.Name == activities.InspectEffect && s.env.Now().Sub(startTime) < 10*time.Minute {
					return temporal.NewApplicationError("administrate: the outcome of the API request Billing is unknown", string(activities.ReasonServerErrors))
				}
				return nil
			}
			s.at(time.Second, func() { s.env.SignalWorkflow("progress", to("Opportunity")) })
			s.at(when, func() { s.update("u", "addInterests", add(1)) })
			s.at(when+2*time.Second, func() { s.wantDone("u") })
			s.at(9*time.Minute, func() {
				v := s.view()
				if got := s.attention(); !slices.Equal(got, []string{"operation"}) || !strings.Contains(v.Attention[0].Reason, "the outcome of the API request Billing is unknown") || v.Attention[0].Request != v.RunningEffects[0].Key {
					t.Errorf("attention %+v, effects %+v", v.Attention, v.RunningEffects)
				}
			})
			s.winAt(time.Hour)
			s.run(start, nil)
			s.wantLog("create", "progress Opportunity", "interest 1", "do invoice", "progress Won")
		})
	}
}

// The worker that inspects an effect knows the kind of the effect, but the worker that receives the
// request does not know the kind. The run still executes commands, and the attention names the
// version of the worker that does not know the kind. The effect is done when a worker that knows
// the kind receives the request.
func TestARequestForAnEffectOfALaterVersionWaits(t *testing.T) {
	s := newFixture(t)
	b := withTransitionEffects(s, nil, []string{"sms"})
	sms := b.resources["sms"]
	sms.unknownKindOnExecute = "the worker v1.2 does not know effects of kind \"sms\"; a worker of a later version does"
	s.at(time.Second, func() { s.update("p", "progress", to("Opportunity")) })
	for n := range 3 {
		s.at(time.Duration(1+n)*time.Minute, func() { s.update("u"+string(rune('0'+n)), "addInterests", add(n+1)) })
		s.at(time.Duration(1+n)*time.Minute+2*time.Second, func() { s.wantDone("u" + string(rune('0'+n))) })
	}
	s.at(5*time.Minute, func() {
		v := s.view()
		if got := s.attention(); !slices.Equal(got, []string{"operation"}) || !strings.Contains(v.Attention[0].Reason, "v1.2") {
			t.Errorf("attention: %+v; want operation with the version", v.Attention)
		}
		sms.unknownKindOnExecute = ""
	})
	s.at(30*time.Minute, func() {
		if got := s.attention(); len(got) > 0 || sms.done != 1 {
			t.Errorf("attention %q, done %d times", got, sms.done)
		}
	})
	s.winAt(time.Hour)
	s.run(start, nil)
}

// The attention for a call names the service and says why the service is not called. If a problem
// of the worker prevents the call, the attention does not blame the service.
func TestTheAttentionForACallSaysWhy(t *testing.T) {
	for reason, says := range map[activities.Reason]string{
		activities.ReasonUnreachable:         "the service erp cannot be reached",
		activities.ReasonSendDeadlinePassed:  "the service erp is not called: the send window had passed",
		activities.ReasonPlaybookUnavailable: "the service erp is not called: the worker cannot use the playbook in force",
		activities.ReasonWrongTenant:         "the service erp is not called: the worker's credentials are for another tenant",
	} {
		t.Run(string(reason), func(t *testing.T) {
			s := newFixture(t)
			b := withTransitionEffects(s, nil, []string{"crm"})
			crm := b.resources["crm"]
			crm.kind, crm.notSent = exchange.RequestCall, reason
			plan := b.plan
			b.plan = func(in activities.PlanInput) exchange.Plan {
				out := plan(in)
				for i := range out.After {
					out.After[i].Settings = exchange.NewSettings(exchange.CallService{Service: "erp", Path: "/orders"})
				}
				return out
			}
			s.at(time.Second, func() { s.update("p", "progress", to("Opportunity")) })
			s.at(10*time.Minute, func() {
				if v := s.view(); len(v.Attention) != 1 || v.Attention[0].Kind != opportunity.AttentionService || !strings.HasPrefix(v.Attention[0].Reason, says) {
					t.Errorf("attention %+v; want %q", v.Attention, says)
				}
				crm.notSent = ""
			})
			s.winAt(time.Hour)
			s.run(start, nil)
		})
	}
}
