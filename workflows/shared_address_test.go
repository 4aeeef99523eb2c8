package workflows_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Two learners of one order have the same e-mail address and different names. An operator decides
// about the registration of the second learner. The run releases no place before both learners are
// registered.
func TestTwoPeopleWithOneAddressAreWon(t *testing.T) {
	for name, row := range map[string]struct {
		answer func(key string) any
		places string
	}{
		"confirm": {func(key string) any { return opportunity.Confirm{Request: key} }, "{event:{bookedPlaces:1,reserved:2},opp:{isReservationValid:true,step:{name:Won}}}"},
		"retry":   {func(key string) any { return opportunity.Retry{Request: key} }, "{event:{bookedPlaces:2,reserved:0},opp:{isReservationValid:false,step:{name:Won}}}"},
		"skip": {
			func(key string) any { return opportunity.Skip{Request: key, Reason: "typed twice"} },
			// The run stays open for the place without a name until the reservation expires.
			"{event:{bookedPlaces:1,reserved:0},opp:{isReservationValid:false,step:{name:Won}}}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newTenantFixture(t, example(t, "win"))
			order := reserveFor(1, "Dan", "Eva")
			for i := range order.Interests[0].Learners {
				order.Interests[0].Learners[i].Email = "office@clinic.example"
			}
			h.at(time.Second, h.createCompany)
			h.at(time.Minute, func() { h.update("i", "addInterests", order) })
			h.at(time.Hour, func() { h.update("p", "progress", to("Proposed")) })
			h.at(2*time.Hour, func() { h.update("w", "progress", to("Won")) })
			h.at(3*time.Hour, func() {
				h.wantQuery(placesQuery(1), "{event:{bookedPlaces:0,reserved:2},opp:{isReservationValid:true,step:{name:Won}}}")
				asking := 0
				for _, e := range h.view().RunningEffects {
					if !e.AsksPeople {
						continue
					}
					asking++
					h.update("a", name, row.answer(e.Key))
				}
				if asking != 1 {
					t.Errorf("%d effects ask: %+v", asking, h.view().RunningEffects)
				}
			})
			h.run(opportunity.Start{Name: "First Aid", Region: "UK"}, nil)
			h.wantDone("i", "p", "w", "a")
			h.wantQuery(placesQuery(1), row.places)
		})
	}
}

// After a win that overbooks the event, the attention says how many places are overbooked.
func TestOverbookedEventIsAttention(t *testing.T) {
	h := newTenantFixture(t, example(t, "win"))
	order := reserveFor(1, "Ada", "Ben")
	order.Interests[0].Reserve = false
	h.at(time.Second, h.createCompany)
	h.at(time.Minute, func() { h.update("i", "addInterests", order) })
	h.at(2*time.Minute, func() { h.fill(1, 3) })
	h.at(time.Hour, func() { h.update("p", "progress", to("Proposed")) })
	h.at(2*time.Hour, func() { h.update("w", "progress", to("Won")) })
	h.run(opportunity.Start{Name: "First Aid", Region: "UK"}, nil)
	h.wantDone("i", "p", "w")
	h.wantQuery(placesQuery(1), "{event:{bookedPlaces:5,reserved:0},opp:{isReservationValid:false,step:{name:Won}}}")
	var reasons []string
	for _, a := range h.view().Attention {
		reasons = append(reasons, a.Reason)
	}
	if all := strings.Join(reasons, "\n"); !strings.Contains(all, "is overbooked by 1;") {
		t.Errorf("attention %q", reasons)
	}
}

// fill registers a contact on the event repeatedly, once for each of the given number of places.
func (h *tenantFixture) fill(event, places int) {
	h.t.Helper()
	for range places {
		h.execute(`mutation { event { registerContacts(eventId: "` + string(id("Course", event)) + `", input: {contacts: ["` + string(id(opportunity.TypeContact, 1)) + `"]}) { errors { message } } } }`)
	}
}

// A mail that offers a free place is not sent for a full event. The owner gets a mail instead.
func TestNoPlaceOfAFullEventIsOffered(t *testing.T) {
	h := newTenantFixture(t, example(t, "waitlist-offer"))
	one := reserveFor(1, "Ada")
	one.Interests[0].Reserve = false
	h.at(time.Second, h.setPeople)
	h.at(time.Minute, func() { h.update("i", "addInterests", one) })
	h.at(2*time.Minute, func() { h.fill(1, 4) })
	h.at(time.Hour, func() { h.update("p", "progress", to("Offered")) })
	h.at(2*time.Hour, func() {
		h.wantQuery(placesQuery(1), "{event:{bookedPlaces:4,reserved:0},opp:{isReservationValid:false,step:{name:Offered}}}")
	})
	h.at(24*time.Hour, func() { h.update("l", "progress", to("Lost")) })
	h.run(opportunity.Start{Name: "First Aid", Region: "UK", EntryStep: "Waitlist"}, nil)
	h.wantDone("i", "p", "l")
	want := []string{"nora.whitfield@training.example: No place is free: First Aid"}
	if diff := cmp.Diff(want, h.sentEmails()); diff != "" {
		t.Errorf("mails (-want +got):\n%s", diff)
	}
}

// The effects of a transition use the quantity on the record, with or without a refresh before the
// transition.
func TestTokensThatWereEditedInTheTMS(t *testing.T) {
	for _, refreshed := range []bool{true, false} {
		s := newFixture(t)
		b := &fakePlaybook{features: activities.PlaybookFeatures{Digest: "one", Transitions: true}, resources: map[string]*fakeResource{"tokens": {required: 1}}}
		check := exchange.Effect{Key: "rule/tokens", Kind: opportunity.EffectTokens, Undo: exchange.UndoExact, Settings: exchange.NewSettings(exchange.AwaitTokens{})}
		b.plan = func(in activities.PlanInput) exchange.Plan {
			if in.PlanFor.Kind != exchange.CauseTransition {
				return exchange.Plan{}
			}
			return exchange.Plan{After: []exchange.Effect{check}}
		}
		checked := 0
		b.resources["tokens"].inspect = func(in activities.EffectInput) *activities.InspectResult {
			checked = in.Interests[0].Quantity
			return nil
		}
		s.tms.playbook = b
		s.at(time.Second, func() { s.env.SignalWorkflow("addInterests", add(10)) })
		s.at(time.Minute, func() {
			s.tms.items[0].Quantity = 5
			if refreshed {
				s.env.SignalWorkflow("refresh", opportunity.Refresh{})
			}
		})
		s.winAt(2 * time.Minute)
		s.run(start, nil)
		if checked != 5 {
			t.Errorf("refreshed %t: the effect checks %d tokens, want 5", refreshed, checked)
		}
	}
}
