package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"

	"github.com/oppflow/oppflow/opportunity"
)

const fiveEffectsPlaybook = `
services:
  erp: { url: https://erp.example.com, secret: erp-signing-key }
transitions:
  - name: propose
    to: { step: Proposed }
    before:
      - account: { name: "Byrne Ltd" }
      - attributes: { set: { handled-by: Oppflow } }
      - contacts: {}
      - register: { keepReservation: true }
      - call: { service: erp, path: /orders, undo: /orders/cancel }
`

// rowCounts returns the rows of the TMS that the effects in this file may change, one line for each
// row. rowCounts leaves out attributes without a text.
func (h *tenantFixture) rowCounts() []string {
	h.t.Helper()
	data := h.execute(fmt.Sprintf(`{ accounts(first: 100) { edges { node { name } } } contacts(first: 100) { edges { node { emailAddress } } }
		event: node(id: %q) { ... on Event { reserved bookedPlaces learners(first: 100) { edges { node { isCancelled contact { emailAddress } } } } } }
		opportunity: node(id: %q) { ... on Opportunity { step { name } account { name } attributes { definitionKey value } isReservationValid interests { pageInfo { totalRecords } } } }
		invoices { pageInfo { totalRecords } } }`, id("Course", 1), recordID))
	var lines []string
	nodes := func(connection any) (all []map[string]any) {
		for _, edge := range connection.(map[string]any)["edges"].([]any) {
			all = append(all, edge.(map[string]any)["node"].(map[string]any))
		}
		return all
	}
	for _, account := range nodes(data["accounts"]) {
		lines = append(lines, fmt.Sprint("account ", account["name"]))
	}
	for _, contact := range nodes(data["contacts"]) {
		lines = append(lines, fmt.Sprint("contact ", contact["emailAddress"]))
	}
	event, record := data["event"].(map[string]any), data["opportunity"].(map[string]any)
	for _, learner := range nodes(event["learners"]) {
		lines = append(lines, fmt.Sprint("learner ", learner["contact"].(map[string]any)["emailAddress"], ", cancelled ", learner["isCancelled"]))
	}
	for _, attribute := range record["attributes"].([]any) {
		if one := attribute.(map[string]any); one["value"] != "" {
			lines = append(lines, fmt.Sprint("attribute ", one["definitionKey"], " ", one["value"]))
		}
	}
	slices.Sort(lines)
	return append(lines, fmt.Sprint("event ", event["reserved"], " ", event["bookedPlaces"]),
		fmt.Sprint("opportunity ", record["step"], record["account"], record["isReservationValid"], record["interests"]), fmt.Sprint("invoices ", data["invoices"]))
}

// When the API rejects one of five effects, the run undoes the earlier effects. Only objects that
// no undo can remove stay in the TMS. New accounts and contacts stay, and cancelled learners stay
// in the list of the event.
func TestARejectedEffectLeavesOnlyDeclaredRemains(t *testing.T) {
	for _, c := range []struct {
		refused string
		prepare func(h *tenantFixture)
		left    []string // rows that exist now and did not before
	}{
		{"account", func(h *tenantFixture) {
			for range 2 { // two accounts of one name: neither can be chosen
				h.execute(`mutation { account { create(input: {name: "Byrne Ltd"}) { errors { message } } } }`)
			}
		}, []string{}},
		{"attributes", nil, []string{"account Byrne Ltd"}},
		{"contacts", func(h *tenantFixture) {
			for range 2 {
				h.execute(`mutation { contact { create(input: {personalName: {firstName: "Ada", lastName: "Byrne"}, emailAddresses: [{usage: "primary", address: "ada@byrne.example"}]}) { errors { message } } } }`)
			}
		}, []string{"account Byrne Ltd"}},
		{"register", func(h *tenantFixture) {
			h.execute(fmt.Sprintf(`mutation { event { update(eventId: %q, input: {lifecycleState: "draft"}) { errors { message } } } }`, id("Course", 1)))
		}, []string{"account Byrne Ltd", "contact ada@byrne.example", "contact ben@byrne.example"}},
		{"call", func(h *tenantFixture) { h.status = 422 }, []string{
			"account Byrne Ltd", "contact ada@byrne.example", "contact ben@byrne.example",
			"learner ada@byrne.example, cancelled true", "learner ben@byrne.example, cancelled true",
		}},
	} {
		t.Run(c.refused, func(t *testing.T) {
			assumed := []string{"update.null=cleared"}
			if c.refused == "attributes" {
				assumed = append(assumed, "custom-field.keys=defined")
			}
			h := newTenantFixture(t, []byte(strings.ReplaceAll(fiveEffectsPlaybook, "handled-by", map[bool]string{true: "nobody-knows", false: "handled-by"}[c.refused == "attributes"])), assumed...)
			var before, after []string
			h.at(time.Minute, func() { h.update("i", "addInterests", reserveFor(1, "Ada", "Ben")) })
			h.at(time.Hour, func() {
				if c.prepare != nil {
					c.prepare(h)
				}
				before = h.rowCounts()
				h.update("p", "progress", to("Proposed"))
			})
			h.at(2*time.Hour, func() {
				after = h.rowCounts()
				if got := h.attention(); len(got) > 0 {
					t.Errorf("attention: %+v", h.view().Attention)
				}
				h.update("l", "progress", to("Lost"))
			})
			h.run(opportunity.Start{Name: "First Aid", Region: "UK"}, nil)
			if got := h.results["p"].outcome; got.State != opportunity.Failed || got.Error == nil || got.Error.Value != c.refused {
				t.Errorf("the move: %+v", got)
			}
			left := slices.DeleteFunc(slices.Clone(after), func(row string) bool { return slices.Contains(before, row) })
			if diff := cmp.Diff(c.left, left); diff != "" || len(after) != len(before)+len(left) {
				t.Errorf("traces (-want +got):\n%s\nbefore\n%s\nafter\n%s", diff, strings.Join(before, "\n"), strings.Join(after, "\n"))
			}
		})
	}
}

// When the playbook takes the oldest of several equal contacts, the registration takes the contact
// that the effect before it found, before and after a transition.
func TestTheOldestOfSeveralContactsIsRegistered(t *testing.T) {
	for _, stage := range []string{"before", "after"} {
		t.Run(stage, func(t *testing.T) {
			h := newTenantFixture(t, []byte(`
transitions:
  - name: propose
    to: { step: Proposed }
    `+stage+`:
      - contacts: { onMultipleMatches: oldest }
      - register: { keepReservation: true }
`))
			h.at(time.Minute, func() {
				for range 2 {
					h.execute(`mutation { contact { create(input: {personalName: {firstName: "Ada", lastName: "Byrne"}, emailAddresses: [{usage: "primary", address: "ada@byrne.example"}]}) { errors { message } } } }`)
				}
				h.update("i", "addInterests", reserveFor(1, "Ada"))
			})
			h.at(time.Hour, func() { h.update("p", "progress", to("Proposed")) })
			h.at(2*time.Hour, func() {
				if v := h.view(); len(v.Attention)+len(v.RunningEffects) > 0 || h.results["p"].outcome.State != opportunity.Done {
					t.Errorf("attention %+v, running %+v, the transition %+v", v.Attention, v.RunningEffects, h.results["p"].outcome)
				}
				if rows := h.rowCounts(); !slices.Contains(rows, "learner ada@byrne.example, cancelled false") {
					t.Errorf("the learner is not registered: %q", rows)
				}
				h.update("l", "progress", to("Lost"))
			})
			h.run(opportunity.Start{Name: "First Aid", Region: "UK"}, nil)
		})
	}
}

// Each subtest loses one worker before the worker reports the completion of an activity. The
// transition to Won still has the same result as without a lost completion.
func TestALostCompletionOfAWinChangesNothing(t *testing.T) {
	t.Parallel()
	for k := int64(1); ; k++ {
		h := newTenantFixture(t, example(t, "win"))
		var completed atomic.Int64
		h.losesCompletion = func() bool { return completed.Add(1) == k }
		h.moveToWon()
		h.run(opportunity.Start{Name: "First Aid", Region: "UK"}, nil)
		if completed.Load() < k {
			if k < 24 {
				t.Errorf("only %d activities", k-1)
			}
			return
		}
		if h.wantQuery(winQuery(), wonAnswer); t.Failed() {
			t.Fatalf("completion %d was lost; effects %+v, attention %+v", k, h.view().EffectResults, h.view().Attention)
		}
	}
}

// InterceptActivity makes attempts of activities fail, and loses completions of activities.
func (l *fixtureInterceptor) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	in := &completionLoser{fixture: l.fixture}
	in.Next = next
	return in
}

type completionLoser struct {
	interceptor.ActivityInboundInterceptorBase
	fixture *fixture
}

var errActivityLost = errors.New("the worker was lost with what the activity answered")

func (l *completionLoser) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	if l.fixture.failsAttempt != nil {
		if err := l.fixture.failsAttempt(activity.GetInfo(ctx)); err != nil {
			return nil, err
		}
	}
	result, err := l.Next.ExecuteActivity(ctx, in)
	if l.fixture.losesCompletion != nil && l.fixture.losesCompletion() {
		return nil, errActivityLost
	}
	return result, err
}
